"""What any small service needs: configuration, secrets, logging, a clock, HTTP guards.

It knows neither routers nor metrics, so both wings of the project stand on it.
"""
