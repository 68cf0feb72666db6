"""From migrant reception offices' forms to logframe indicators."""
