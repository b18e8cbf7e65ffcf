"""The napari plugin: draw on a gray picture and see it coloured.

``opening`` brings pictures in and out. ``widget`` is the panel, whose parts in ``panel`` are views over ``editing``:
that knows the session, turns what a person does into changes of it, and has them answered in the thread of ``work``.
What is painted on the layer of ``scribbles`` becomes strokes; ``tools`` is what else the mouse does, ``overlays`` and
``automatic`` what can be seen over the picture. ``layers`` and ``gestures`` know arrays only.
"""
