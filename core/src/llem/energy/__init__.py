"""From readings and time stamps to figures with uncertainties. Knows no plugin and no file."""
