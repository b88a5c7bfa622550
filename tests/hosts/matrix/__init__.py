"""The acceptance matrix: each procedure, on each platform, with each version of etcd.

`./test matrix` runs all of it, `./test matrix -k okd3-3.5` one of its cells. Wherever else tests on
hosts run, one cell is tried, which changes from commit to commit. `cells.py` has the table.
"""
