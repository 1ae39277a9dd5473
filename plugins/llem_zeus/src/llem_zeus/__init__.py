"""Meters through the Zeus library, for what llem's own meters cannot read."""
