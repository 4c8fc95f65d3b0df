"""ST-DBSCAN as one would write it with scipy, for comparison: python st_dbscan.py points.csv...

Reads easting,northing,day,kind,cluster as `cargo bench --bench st_dbscan` leaves them in TENSION_WATCH_POINTS, clusters
the points with reach 500 m, 14 days and 5 points, and compares its labels with those of the file.
Needs numpy and scipy: python -m venv venv && venv/bin/pip install numpy scipy
"""

import sys
import time

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

METRES, DAYS, ENOUGH = 500, 14, 5


def cluster(easting, northing, day):
    # Space and time apart: the tree finds pairs in the plane and days stretched to the same length, by the largest
    # difference; the circle is asked afterwards, in whole numbers.
    stretch = METRES / DAYS
    tree = cKDTree(np.column_stack([easting, northing, day * stretch]))
    pairs = tree.query_pairs(METRES * (1 + 1e-9), p=np.inf, output_type="ndarray")
    a, b = pairs[:, 0], pairs[:, 1]
    near = (easting[a] - easting[b]) ** 2 + (northing[a] - northing[b]) ** 2 <= METRES**2
    near &= np.abs(day[a] - day[b]) <= DAYS
    a, b = a[near], b[near]
    count = len(easting)
    core = 1 + np.bincount(a, minlength=count) + np.bincount(b, minlength=count) >= ENOUGH
    both = core[a] & core[b]
    graph = coo_matrix((np.ones(both.sum(), dtype=bool), (a[both], b[both])), shape=(count, count))
    _, component = connected_components(graph, directed=False)
    # A border point goes with its first core neighbour.
    first = np.full(count, count)
    np.minimum.at(first, np.r_[a[core[b]], b[core[a]]], np.r_[b[core[b]], a[core[a]]])
    border = ~core & (first < count)
    label = np.where(core, component, -1)
    label[border] = component[first[border]]
    return core, border, label


def main():
    for path in sys.argv[1:]:
        table = np.genfromtxt(path, delimiter=",", skip_header=1, dtype=None, encoding="utf-8")
        easting, northing, day = (table[f"f{column}"].astype(np.int64) for column in range(3))
        began = time.perf_counter()
        core, border, label = cluster(easting, northing, day)
        seconds = time.perf_counter() - began
        kind = np.where(core, "core", np.where(border, "border", "noise"))
        same = (kind == table["f3"]).all()
        given = table["f4"].astype(np.int64)
        known = kind != "noise"
        pairs = np.unique(np.column_stack([label[known], given[known]]), axis=0)
        same &= len(np.unique(pairs[:, 0])) == len(pairs) == len(np.unique(pairs[:, 1]))
        print(f"{path}: {seconds * 1e3:.1f} ms, {core.sum()} core, labels {'equal' if same else 'DIFFER'}", flush=True)


if __name__ == "__main__":
    main()
