"""hybridcolor: colorize gray pictures together with a person."""

__version__ = "0.1.0"
