// A page whose work goes on: its part marked `data-live` is asked for again until the mark is gone. Without this script a
// link does the same.

const EVERY = 2_000; // milliseconds

async function again(): Promise<void> {
  const part = document.querySelector<HTMLElement>("[data-live]");
  if (!part) return;
  const answer = await fetch(location.href, { credentials: "same-origin" });
  const other = new DOMParser().parseFromString(await answer.text(), "text/html");
  const their = answer.ok ? other.getElementById(part.id) : null;
  if (!their) return; // signed out, or the site is away: the link stays
  const [told, tells] = [document.querySelector("h1"), other.querySelector("h1")];
  if (their.hasAttribute("data-live")) {
    part.replaceChildren(...document.importNode(their, true).childNodes);
  } else {
    part.replaceWith(document.importNode(their, true));
    if (told && tells) {
      told.replaceWith(document.importNode(tells, true));
      document.title = other.title;
    }
    const said = document.getElementById("said");
    if (said && tells) said.textContent = tells.textContent; // announced to those who don't see it change
    return;
  }
  setTimeout(() => { again().catch(() => { /* the link stays */ }); }, EVERY);
}

setTimeout(() => { again().catch(() => { /* the link stays */ }); }, EVERY);
