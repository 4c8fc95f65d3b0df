// The interactive map: it takes the place of the picture when it can, and says nothing that the table does not say.

import * as L from "leaflet";
import "leaflet/dist/leaflet.css";

/** With more names than this, or on a narrower map (CSS pixels), the map would be hidden by them. */
const NAMED_AT_MOST = 7;
const NAMED_FROM_WIDTH = 420;

interface Area { name: string; class: string; observed: number; usual: number }
interface Figures { areas: Record<string, Area> }

/** Colours are those of the style sheet, so that the dark scheme and forced colours hold here too. */
function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Above or below its own normal; not what is usual or cannot be said yet. */
function isOff(area: Area | undefined): boolean {
  return area !== undefined && area.class !== "within" && area.class !== "too-early";
}

function style(area: Area | undefined): L.PathOptions {
  if (!area) return { color: colour("border"), weight: 0.5, fillColor: colour("paper"), fillOpacity: 1 };
  const off = isOff(area);
  return {
    color: off ? colour("ink") : colour("border"),
    weight: off ? 1.6 : 0.5,
    dashArray: area.class === "below" ? "3 3" : undefined,
    fillColor: colour(off ? area.class : "within"),
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

async function start(holder: HTMLElement): Promise<void> {
  const [figures, wards] = await Promise.all([
    load<Figures>(holder.dataset.figures ?? ""),
    load<GeoJSON.FeatureCollection>(holder.dataset.wards ?? ""),
  ]);
  holder.replaceChildren();
  holder.setAttribute("aria-hidden", "true"); // the table carries the content
  const map = L.map(holder, { renderer: L.canvas(), zoomSnap: 0.25, keyboard: false, attributionControl: false, zoomControl: false });
  const off = Object.keys(figures.areas).filter((code) => isOff(figures.areas[code]));
  const layers = new Map<string, L.Path>();
  const layer = L.geoJSON(wards, {
    style: (feature) => style(figures.areas[String(feature?.properties?.code)]),
    onEachFeature: (feature, shape) => {
      const code = String(feature.properties.code);
      const area = figures.areas[code];
      layers.set(code, shape as L.Path);
      if (!area) return;
      const text = document.createElement("span");
      // Wards off their normal are named on the map itself, while there is room for the names.
      const named = isOff(area) && off.length <= NAMED_AT_MOST && holder.clientWidth >= NAMED_FROM_WIDTH;
      text.textContent = named ? `${area.name} ${area.observed}` : `${area.name}: ${area.observed}, usual ${area.usual}`;
      shape.bindTooltip(text, named ? { permanent: true, direction: "auto", className: "named" } : { sticky: true });
      shape.on("click", () => pick(code));
    },
  }).addTo(map);
  const whole = layer.getBounds();
  map.fitBounds(whole);
  // What is off its normal lies on top, so that its outline is whole.
  off.forEach((code) => layers.get(code)?.bringToFront());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => layer.setStyle((feature) => style(figures.areas[String(feature?.properties?.code)])));
}

const holder = document.getElementById("map");
if (holder) start(holder).catch(() => { /* the picture stays */ });
