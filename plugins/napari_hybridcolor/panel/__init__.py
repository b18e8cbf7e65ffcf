"""The parts of the panel. Each is a view over `editing.Editing`, connects itself to it, and knows no other part.

``colour`` what to draw with, ``settings`` how strokes spread, ``seeds`` the automatic ones, ``variants`` other
colourings, ``view`` what to see, ``keys`` the help. ``plane``, ``swatches`` and ``controls`` are what they are made of.
"""
