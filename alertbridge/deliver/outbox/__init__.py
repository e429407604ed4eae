"""All SQL of notices, messages, attempts and lanes: functions that take the connection of a transaction.

Who reads a row in one transaction and changes it in a later one names the state that it read; a row that moved on
meanwhile raises Moved, and the transaction is rolled back as a whole.
"""
