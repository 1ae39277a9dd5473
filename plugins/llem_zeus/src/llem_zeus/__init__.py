"""Meters through the Zeus library, for devices that llem's own meters cannot read."""
