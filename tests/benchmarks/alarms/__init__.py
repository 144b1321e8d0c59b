"""How often assert_not_slower is wrong: equal functions recorded, and processes simulated."""
