"""``python -m hybridcolor``: the command line, also where its folder is not on the path."""

from hybridcolor.cli import main

if __name__ == "__main__":
    main()
