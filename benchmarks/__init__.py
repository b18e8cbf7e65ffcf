"""What the pages in docs say in figures is measured here, each part by ``python -m benchmarks.NAME``.

``python -m benchmarks`` (`make bench`): speed, memory and exactness of the propagation methods beside their peers, for
docs/benchmarks.md. It runs ``cases`` on ``scenes``, each in a process of ``measure``, and ``report`` writes the tables.
``manga`` and ``pages``: drawings, made by ``drawings`` and ``things``, for docs/manga.md. ``batch``: docs/batch.md.
``planted``: docs/metrics.md. ``gates``: short trainings, for docs/gates.md. ``tour`` drives the editor's window, for
docs/tutorial.md. ``figure`` and ``gallery`` draw pictures. Tests use the made drawings and failures too.
"""
