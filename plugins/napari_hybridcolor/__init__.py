"""The napari plugin: draw on a gray picture and see it coloured.

Begin with ``widget``, the panel, and with ``editing``, which all its parts in ``panel`` are views of: it holds the
session, turns what a person does into changes of it, and has ``answering`` compute them in a background thread
(``work``) and show the colours (``result``). What is painted on the layer of ``scribbles`` becomes strokes; ``tools``
is what else the mouse does, ``overlays`` and ``automatic`` what can be seen over the picture. ``sessions`` has the
session of each picture, ``opening`` brings pictures in and out. ``layers`` and ``gestures`` know arrays only.
"""
