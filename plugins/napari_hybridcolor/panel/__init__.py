"""The parts of the panel. Each is a view over `editing.Editing`, connects itself to it, and knows no other part.

``pictures`` says which one is coloured, ``colour`` what to draw with, ``settings`` how strokes spread, ``seeds`` which
automatic ones take part; ``variants`` has other colourings, ``view`` what to see, ``keys`` the help, ``saving`` the
files. ``plane``, ``swatches``, ``controls`` and ``files`` are what they are made of.
"""
