"""Points in wards with shapely, for comparison: python locate.py wards.geojson points.csv

Reads what `cargo bench --bench locate` leaves in TENSION_WATCH_POINTS: wards with a property `code`, and rows of
x,y,code. Compares its answers, the smallest code of all wards that touch the point, with those of the file.
Needs numpy and shapely: python -m venv venv && venv/bin/pip install numpy shapely
"""

import json
import sys
import time

import numpy as np
import shapely


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        features = json.load(file)["features"]
    features.sort(key=lambda feature: feature["properties"]["code"])
    codes = np.array([feature["properties"]["code"] for feature in features] + [""])
    shapes = np.array([shapely.geometry.shape(feature["geometry"]) for feature in features])
    table = np.genfromtxt(sys.argv[2], delimiter=",", skip_header=1, dtype=None, encoding="utf-8")
    x, y, given = table["f0"], table["f1"], table["f2"]
    began = time.perf_counter()
    tree = shapely.STRtree(shapes)
    points = shapely.points(x, y)
    which, ward = tree.query(points, predicate="intersects")
    first = np.full(len(x), len(shapes))
    np.minimum.at(first, which, ward)
    seconds = time.perf_counter() - began
    differ = int((codes[first] != given).sum())
    print(f"{len(x)} points in {len(shapes)} wards: {seconds:.3f} s, {differ} answers differ", flush=True)


if __name__ == "__main__":
    main()
