"""Where everything is kept that must survive a crash: SQLite by default, PostgreSQL for several replicas."""
