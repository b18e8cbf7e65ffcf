"""The napari plugin: draw scribbles on a gray picture and see it coloured.

``layers`` turns napari's arrays into hybridcolor's types and back and knows no window; ``widget`` is the window.
"""
