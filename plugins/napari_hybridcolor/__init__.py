"""The napari plugin: draw on a gray picture and see it coloured.

``opening`` brings pictures in and out; ``widget`` is the panel, a view over ``editing``, which knows the session, the
layers and the background thread of ``work``; ``colours`` are its colour widgets, ``layers`` knows arrays only.
"""
