"""Many files: colorize folders and lists of pictures by a recipe, and go on after a stop or a kill.

``recipe`` says how, ``plan`` which file becomes which, ``journal`` what is done already, ``workers`` are the processes
that do it, and ``running`` puts them together. ``stores`` reads and writes objects by URL, ``results`` makes a folder
and a store look alike. `hybridcolor.distributed` has workers on other machines.
"""

from hybridcolor.batch.plan import Task, plan_tasks
from hybridcolor.batch.recipe import Recipe
from hybridcolor.batch.running import Outcome, Workers, run_batch

__all__ = ["Outcome", "Recipe", "Task", "Workers", "plan_tasks", "run_batch"]
