"""Measures against dishonest conduct: what the catalogue allows, what was imposed, on what basis, until when."""
