// The interactive map: it takes the place of the picture when it can, and says nothing that the table does not say.

import * as L from "leaflet";
import "leaflet/dist/leaflet.css";

/** With more names than this, or on a narrower map (CSS pixels), the map would be hidden by them. */
const NAMED_AT_MOST = 7;
const NAMED_FROM_WIDTH = 420;

/** The map can be made so much larger than its frame: each step doubles it. */
const CLOSEST = 4;

/** A week that is not there yet is loaded when the slider has rested so long (milliseconds): it passes many on its way to one. */
const RESTS = 150;

interface Area { name: string; class: string; standing: string; observed: number; usual: number | null }
type Corner = [number, number]; // degrees east, degrees north
interface Cluster { number: string; ring: Corner[] }
interface Figures { areas: Record<string, Area>; clusters?: Cluster[] }
interface Hexagons { hexagons: { ring: Corner[]; count: number }[] }

/** Colours are those of the style sheet, so that the dark scheme and forced colours hold here too. */
function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Above or below its own normal; not what is usual or cannot be said yet. */
function isOff(area: Area | undefined): boolean {
  return area !== undefined && area.class !== "within" && area.class !== "too-early";
}

/** Dots on what is below, lines on what cannot be said yet: colour alone must not say it. The canvas takes a pattern as a colour. */
function pattern(draw: (brush: CanvasRenderingContext2D) => void): string {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 6;
  const brush = tile.getContext("2d");
  if (!brush) return colour("within");
  draw(brush);
  return brush.createPattern(tile, "repeat") as unknown as string;
}

function dots(): string {
  return pattern((brush) => {
    brush.fillStyle = colour("below");
    brush.fillRect(0, 0, 6, 6);
    brush.fillStyle = colour("dot");
    brush.fillRect(2, 2, 2, 2);
  });
}

function hatch(): string {
  return pattern((brush) => {
    brush.fillStyle = colour("within");
    brush.fillRect(0, 0, 6, 6);
    brush.strokeStyle = colour("border");
    // The corners, too, so that the lines go on in the next tile.
    brush.stroke(new Path2D("M-1 1L1 -1M0 6L6 0M5 7L7 5"));
  });
}

/** What fills each step of the scale in the scheme of the moment. */
function fills(): Record<string, string> {
  const plain = ["well-above", "above", "slightly-above", "within"].map((step) => [step, colour(step)]);
  return { ...Object.fromEntries(plain), below: dots(), "too-early": hatch() } as Record<string, string>;
}

function style(area: Area | undefined, fill: Record<string, string>): L.PathOptions {
  if (!area) return { color: colour("border"), weight: 0.5, fillColor: colour("paper"), fillOpacity: 1 };
  const off = isOff(area);
  return {
    color: off ? colour("ink") : colour("border"),
    weight: off ? 1.6 : 0.5,
    dashArray: area.class === "below" ? "3 3" : undefined,
    fillColor: fill[area.class] ?? colour("within"),
    fillOpacity: 1,
  };
}

function pick(code: string): void {
  document.querySelectorAll("tr.picked").forEach((row) => row.classList.remove("picked"));
  const row = document.getElementById(`area-${code}`);
  if (!row) return;
  row.closest("details")?.setAttribute("open", "");
  row.classList.add("picked");
  row.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}

async function load<T>(address: string): Promise<T> {
  const answer = await fetch(address, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return (await answer.json()) as T;
}

/** The outlines of the wards: those of the server's picture, turned back into degrees. `M` begins a ring, `l` goes on by steps. */
function outlines(picture: SVGElement): Map<string, L.LatLngTuple[][]> {
  const [west = 0, north = 0, across = 0, down = 0] = (picture.dataset.degrees ?? "").split(" ").map(Number);
  const rings = (path: string): L.LatLngTuple[][] => path.split("M").filter(Boolean).map((ring) => {
    const steps = (ring.match(/-?\d+/g) ?? []).map(Number);
    let [x, y] = [0, 0];
    const corners: L.LatLngTuple[] = [];
    for (let at = 0; at + 1 < steps.length; at += 2) {
      x += steps[at] ?? 0;
      y += steps[at + 1] ?? 0;
      corners.push([north - y * down, west + x * across]);
    }
    return corners;
  });
  const wards = [...picture.querySelectorAll<SVGPathElement>("path[data-ward]")];
  return new Map(wards.map((ward) => [ward.dataset.ward ?? "", rings(ward.getAttribute("d") ?? "")]));
}

/** A line of the legend for what is drawn on the wards, while it is. */
function explain(key: string, shown: boolean): void {
  const line = document.getElementById(key);
  if (line) line.hidden = !shown;
}

/** The map with the figures of one question on it. */
class Wards {
  private readonly map: L.Map;
  private readonly layers = new Map<string, L.Polygon>();
  private areas: Record<string, Area> = {};
  /** Outlines of clusters, and hexagons when they are asked for; neither takes a click from the ward below. */
  private readonly clusters = L.layerGroup();
  private readonly hexagons = L.layerGroup();

  constructor(private readonly holder: HTMLElement, wards: Map<string, L.LatLngTuple[][]>) {
    holder.hidden = false;
    holder.parentElement?.classList.add("live"); // the server's picture is kept for printing
    holder.setAttribute("aria-hidden", "true"); // the table carries the content
    this.map = L.map(holder, { renderer: L.canvas(), zoomSnap: 0.25, keyboard: false, attributionControl: false, zoomControl: false, zoomAnimation: false, dragging: false, scrollWheelZoom: false, doubleClickZoom: false, boxZoom: false });
    // Holes are rings like others: what is filled is what an odd number of rings surrounds.
    wards.forEach((rings, code) => this.layers.set(code, L.polygon(rings, { fillRule: "evenodd" }).on("click", (click) => this.pick(code, click.latlng))));
    const all = L.featureGroup([...this.layers.values()]);
    this.map.fitBounds(all.getBounds());
    this.zooms(all.getBounds());
    all.addTo(this.map);
    this.hexagons.addTo(this.map);
    this.clusters.addTo(this.map);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.colour());
  }

  /**
   * Buttons for zooming, beside the map, since what is in it is hidden from screen readers. Nobody has to drag: a click on a
   * ward brings it to the middle. A finger moves the map only where it is larger than its frame, and the page elsewhere.
   */
  private zooms(county: L.LatLngBounds): void {
    const fits = this.map.getZoom();
    this.map.setMinZoom(fits).setMaxZoom(fits + CLOSEST).setMaxBounds(county.pad(0.1));
    const buttons = document.getElementById("zoom");
    const act: Record<string, () => void> = {
      closer: () => this.map.zoomIn(1),
      further: () => this.map.zoomOut(1),
      all: () => this.map.fitBounds(county),
    };
    buttons?.querySelectorAll("button").forEach((button) => button.addEventListener("click", () => act[button.value]?.()));
    if (buttons) buttons.hidden = false;
    this.map.on("zoomend", () => { if (this.isClose()) this.map.dragging.enable(); else this.map.dragging.disable(); });
  }

  private isClose(): boolean {
    return this.map.getZoom() > this.map.getMinZoom();
  }

  private pick(code: string, at: L.LatLng): void {
    if (this.isClose()) this.map.panTo(at);
    pick(code);
  }

  show(figures: Figures): void {
    this.areas = figures.areas;
    const off = Object.keys(this.areas).filter((code) => isOff(this.areas[code]));
    const room = off.length <= NAMED_AT_MOST && this.holder.clientWidth >= NAMED_FROM_WIDTH;
    this.colour();
    this.layers.forEach((shape, code) => {
      shape.unbindTooltip();
      const area = this.areas[code];
      if (!area) return;
      // Wards off their normal are named on the map itself, while there is room for the names.
      const named = isOff(area) && room;
      const text = document.createElement("span");
      const usual = area.usual === null ? "" : `, usual ${area.usual}`;
      text.textContent = named ? `${area.name} ${area.observed}` : `${area.name}: ${area.observed}${usual}. ${area.standing}`;
      shape.bindTooltip(text, named ? { permanent: true, direction: "auto", className: "named" } : { sticky: true });
    });
    // What is off its normal lies on top, so that its outline is whole.
    off.forEach((code) => this.layers.get(code)?.bringToFront());
    this.outline(figures.clusters ?? []);
  }

  /** The outlines of the clusters that people were told of. */
  private outline(clusters: Cluster[]): void {
    this.clusters.clearLayers();
    explain("cluster-key", clusters.length > 0);
    for (const cluster of clusters) {
      const ring = cluster.ring.map(([east, north]): L.LatLngTuple => [north, east]);
      L.polygon(ring, { color: colour("ink"), weight: 2.5, dashArray: "6 4", fill: false, interactive: false }).addTo(this.clusters);
    }
  }

  /** Reports in hexagons: the fuller, the darker. */
  density(found: Hexagons): void {
    this.hexagons.clearLayers();
    const most = Math.max(1, ...found.hexagons.map((one) => one.count));
    explain("density-key", found.hexagons.length > 0);
    const told = document.getElementById("most");
    if (told) told.textContent = String(most);
    for (const { ring, count } of found.hexagons) {
      const corners = ring.map(([east, north]): L.LatLngTuple => [north, east]);
      L.polygon(corners, { stroke: true, weight: 0.5, color: colour("ink"), fillColor: colour("dot"), fillOpacity: 0.2 + 0.7 * (count / most), interactive: false }).addTo(this.hexagons);
    }
    this.holder.dataset.drawn = String(found.hexagons.length);
  }

  private colour(): void {
    const fill = fills();
    this.layers.forEach((shape, code) => shape.setStyle(style(this.areas[code], fill)));
  }
}

/** Everything of the page that a step to another week changes; the server writes it. */
const PARTS = ["h1", "#lede", "#late", "#steps", "#table", "#drawn", "#legend"];

/** Steps from week to week without loading the page anew: the words and the table come from the same page as ever. */
function slide(weeks: HTMLElement, show: (figures: Figures) => void): void {
  const nights = (weeks.dataset.weeks ?? "").split(" ").filter(Boolean);
  const range = weeks.querySelector("input");
  const told = weeks.querySelector("output");
  const play = weeks.querySelector("button");
  const typed = document.querySelector<HTMLInputElement>("#night");
  if (!range || !told || !play || !typed || nights.length < 2) return;
  const pages = new Map<string, Promise<[Document, Figures]>>();
  const there = new Set<string>();
  const written = (night: string): string => new Date(`${night}T00:00:00Z`).toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
  // What the page shows, not what the form above may say meanwhile.
  const asked = (night: string): URLSearchParams => {
    const query = new URLSearchParams(location.search);
    query.set("night", night);
    return query;
  };
  const page = (night: string): Promise<[Document, Figures]> => {
    const query = asked(night);
    const known = pages.get(query.toString());
    if (known) return known;
    const text = fetch(`/?${query}`, { credentials: "same-origin" }).then(async (answer) => {
      if (!answer.ok) throw new Error(String(answer.status));
      return new DOMParser().parseFromString(await answer.text(), "text/html");
    });
    const both = Promise.all([text, load<Figures>(`/map/figures.json?${query}`)]);
    both.then(() => there.add(night), () => pages.delete(query.toString()));
    pages.set(query.toString(), both);
    return both;
  };
  const label = (): void => {
    const night = nights[Number(range.value)] ?? "";
    told.textContent = written(night);
    range.setAttribute("aria-valuetext", written(night));
  };
  const step = async (): Promise<void> => {
    const at = Number(range.value);
    const night = nights[at];
    if (!night) return;
    label();
    const [other, figures] = await page(night);
    if (Number(range.value) !== at) return; // another week was chosen meanwhile
    const parts = PARTS.map((part) => [document.querySelector(part), other.querySelector(part)] as const);
    // A week without figures has another page.
    if (parts.some(([own, their]) => !own !== !their)) return location.assign(`/?${asked(night)}`);
    parts.forEach(([own, their]) => {
      if (!own || !their) return;
      const change = (): void => document.querySelector(`#${own.id}`)?.replaceWith(document.importNode(their, true));
      // The picture is there for paper: it can wait until the words are on the screen.
      if (own.id === "drawn") window.setTimeout(change);
      else own.replaceWith(document.importNode(their, true));
    });
    document.title = other.title;
    typed.value = night;
    history.replaceState(null, "", `/?${asked(night)}`);
    show(figures);
    near(at);
  };
  /** The weeks beside one are asked for before they are wanted; what fails is asked for again. */
  const near = (at: number): void => {
    [nights[at + 1], nights[at - 1]].forEach((night) => { if (night) page(night).catch(() => undefined); });
  };
  let playing: number | undefined;
  const stop = (): void => {
    window.clearTimeout(playing);
    playing = undefined;
    play.setAttribute("aria-pressed", "false");
    play.textContent = "Play the weeks";
  };
  const go = async (): Promise<void> => {
    try {
      await step();
    } catch {
      return stop(); // the week stays as it was
    }
    if (playing === undefined) return;
    if (Number(range.value) >= nights.length - 1) return stop();
    playing = window.setTimeout(() => { range.value = String(Number(range.value) + 1); void go(); }, 900);
  };
  range.max = String(nights.length - 1);
  const here = nights.indexOf(typed.value);
  range.value = String(here < 0 ? nights.length - 1 : here);
  ["pointerenter", "focus"].forEach((sign) => range.addEventListener(sign, () => near(Number(range.value)), { once: true }));
  let resting: number | undefined;
  range.addEventListener("input", () => {
    label();
    window.clearTimeout(resting);
    const shown = there.has(nights[Number(range.value)] ?? "");
    resting = window.setTimeout(() => { step().catch(() => { /* the week stays as it was */ }); }, shown ? 0 : RESTS);
  });
  play.addEventListener("click", () => {
    if (playing !== undefined) return stop();
    if (Number(range.value) >= nights.length - 1) range.value = "0";
    play.setAttribute("aria-pressed", "true");
    play.textContent = "Stop";
    playing = 0;
    void go();
  });
  label();
  weeks.hidden = false;
}

async function start(holder: HTMLElement): Promise<void> {
  const picture = document.querySelector<SVGElement>("#drawn svg");
  if (!picture) return;
  const figures = await load<Figures>(holder.dataset.figures ?? "");
  const map = new Wards(holder, outlines(picture));
  map.show(figures);
  const [density, box] = [document.getElementById("density"), document.querySelector<HTMLInputElement>("#hexagons")];
  // Of the page's own night: after a step the address says which.
  const hexagons = async (): Promise<void> => {
    const address = `${(holder.dataset.hexagons ?? "").split("?")[0]}${location.search || `?${(holder.dataset.hexagons ?? "").split("?")[1]}`}`;
    map.density(box?.checked ? await load<Hexagons>(address) : { hexagons: [] });
  };
  const drawn = (): void => { hexagons().catch(() => { /* the map stays without them */ }); };
  if (density && box && holder.dataset.hexagons) {
    density.hidden = false;
    box.addEventListener("change", drawn);
  }
  const weeks = document.getElementById("weeks");
  if (weeks) slide(weeks, (figures) => { map.show(figures); if (box?.checked) drawn(); });
}

const holder = document.getElementById("map");
if (holder) start(holder).catch(() => { /* the picture stays */ });
