"""Who is told of an alert, and when: recipients, routes, hours and rotas. Pure but for the configuration."""
