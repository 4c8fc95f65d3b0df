//! `tension-watch init`: sets up a real site.

use super::{
    rules::write_schemas,
    site::{Site, now},
    user, wrong,
};
use crate::{
    import::{PackFiles, read_areas, read_pack},
    locate::{Boundary, Grid},
    model::{Categories, Role},
    stages::setup::save_pack,
    synth::{llr, tessellation},
    web::new_password,
};
use anyhow::{Context, Result};
use geo::{Coord, LineString, MultiPolygon, Polygon};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The rules that come with the program.
pub(super) const RULES: [(&str, &str); 12] = [
    ("any-street-cluster.toml", include_str!("../../rules/any-street-cluster.toml")),
    ("any-ward-month-spike.toml", include_str!("../../rules/any-ward-month-spike.toml")),
    ("csp-month-spike.toml", include_str!("../../rules/csp-month-spike.toml")),
    ("race-week-spike.toml", include_str!("../../rules/race-week-spike.toml")),
    ("repeat-place.toml", include_str!("../../rules/repeat-place.toml")),
    ("reporting-drop.toml", include_str!("../../rules/reporting-drop.toml")),
    ("smaller-strands-month-spike.toml", include_str!("../../rules/smaller-strands-month-spike.toml")),
    ("spike-and-cluster.toml", include_str!("../../rules/spike-and-cluster.toml")),
    ("spreads-next-door.toml", include_str!("../../rules/spreads-next-door.toml")),
    ("violence-share-rising.toml", include_str!("../../rules/violence-share-rising.toml")),
    ("calendar/awareness-weeks.toml", include_str!("../../rules/calendar/awareness-weeks.toml")),
    ("playbooks/first-steps.toml", include_str!("../../rules/playbooks/first-steps.toml")),
];

/// Set up a real site: configuration, area pack, directory, rules, first administrator.
///
/// Without --pack it takes the pack of Leicester, Leicestershire and Rutland, with illustrative outlines and made-up
/// mailboxes: load the real ones with `import areas` and `import directory`.
///
/// Example: tension-watch init --dir /srv/tension-watch
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder of the site.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// A folder with pack.toml, areas.csv, links.csv, directory.csv and wards.geojson (properties code and name).
    #[arg(long, value_name = "DIR")]
    pack: Option<PathBuf>,
    /// A folder of its own for what the site writes: database, inbox, mails as files. The configuration and the rules stay in --dir.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where everything is kept: sqlite: and a file, or the address of a PostgreSQL database when several machines share the work.
    #[arg(long, value_name = "ADDRESS", default_value = "sqlite:tension-watch.db")]
    store: String,
}

pub(super) async fn run(args: Args) -> Result<()> {
    let config = args.dir.join("tension-watch.toml");
    if config.exists() {
        return Err(wrong(format!("{} is there already; nothing was changed", config.display())));
    }
    let (files, outlines) = match &args.pack {
        Some(folder) => read(folder)?,
        None => shipped()?,
    };
    let text = match &args.data {
        None => CONFIG.replace("STORE", &toml_text(&args.store)),
        Some(data) => {
            fs::create_dir_all(data).with_context(|| format!("{}: can't be made", data.display()))?;
            let data = data.canonicalize().with_context(|| format!("{}: can't be opened", data.display()))?;
            let inside = |name: &str| toml_text(&data.join(name).display().to_string());
            let store = match args.store.strip_prefix("sqlite:") {
                Some(file) => format!("sqlite:{}", data.join(file).display()),
                None => args.store.clone(),
            };
            CONFIG
                .replace("STORE", &toml_text(&store))
                .replace("\"inbox\"", &inside("inbox"))
                .replace("\"mail\"", &inside("mail"))
        }
    };
    lay_out(&args.dir, args.data.as_ref().unwrap_or(&args.dir), &text, &files.pack.categories)?;
    let site = Site::open(&config).await?;
    save_pack(&site.store, &files, &outlines, now()).await?;
    let password = new_password();
    user::add(&site, "admin", Role::Admin, None, &password).await?;
    println!("a site for {} stands in {}", files.pack.name, args.dir.display());
    println!("sign in as `admin` with the password {password} (shown once)");
    println!("next: mend tension-watch.toml, import incidents, then `tension-watch serve`");
    Ok(())
}

const CONFIG: &str = r#"# Paths are relative to this file.
[store]
address = STORE        # or postgres://USER@HOST/NAME when several machines share the work

[site]
listen  = "127.0.0.1:8080"                 # put a proxy with a certificate in front
address = "http://127.0.0.1:8080"          # what links in mails begin with, and the only name the site answers to
# trusted_proxies = ["127.0.0.1/32"]       # proxies in front: only what these say of a client's address is believed

# [sign_in.oidc]                           # a provider of OpenID Connect, beside the accounts kept here
# issuer = "https://login.example.org"     # as its own discovery document writes it
# client_id = "tension-watch"              # it sends people back to ADDRESS/sign-in/oidc/back
# client_secret_file = "oidc-secret"       # holds nothing but the secret
# label = "Sign in with your organisation's account"
# scopes = ["profile"]                     # beside openid
# role_claim = "groups"                    # of the ID token; dots lead into objects, as in realm_access.roles
# roles = [                                # the first that somebody has counts; whoever has none is not let in
#   { value = "tension-watch-analysts", role = "analyst" },
#   { value = "charnwood-csp", role = "csp_coordinator", area = "csp/charnwood" },
# ]

[rules]
folder = "rules"

[schedule]
nightly = "30 4 * * *"                     # minute, hour, day, month, weekday by name; in the area pack's time zone

[import]
inbox = "inbox"                            # files dropped into inbox/SOURCE/ are read before the nightly run
[import.mappings]
# police = "police-export"                 # the mapping of a source; our own format otherwise

# [retention]                              # days; what is not said is kept for ever
# incidents_days = 2555                    # from when they happened; detection learns from five years
# rejects_days = 365                       # rows that could not be used
# messages_days = 730                      # mails that have left
# files_days = 365                         # files put away in the inbox after they were read

# [metrics]
# listen = "127.0.0.1:9464"                # counts for Prometheus, open to whoever reaches this address

[mail]
from = "tension-watch@example.invalid"
transport = { kind = "file", folder = "mail" }
# transport = { kind = "smtp", host = "mail.example.org", port = 587, user = "watch", password_file = "smtp-password" }
# return_path = "bounces@example.invalid"  # where mail servers send back what they can't deliver; `from` by default
# dkim = { domain = "example.invalid", selector = "watch", key_file = "dkim.pem" }   # signs every message
"#;

/// As TOML writes a text.
fn toml_text(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// Makes the folders and files of a site.
pub(super) fn lay_out(dir: &Path, data: &Path, config: &str, categories: &Categories) -> Result<()> {
    let own = ["rules/calendar", "rules/playbooks"].map(|folder| dir.join(folder));
    let written = ["inbox", "mail"].map(|folder| data.join(folder));
    for path in own.iter().chain(&written) {
        fs::create_dir_all(path).with_context(|| format!("{}: can't be made", path.display()))?;
    }
    for (name, text) in RULES {
        write(&dir.join("rules").join(name), text)?;
    }
    write_schemas(&dir.join("rules"), categories)?;
    write(&dir.join("tension-watch.toml"), config)
}

pub(super) fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("{}: can't be written", path.display()))
}

/// A pack from a folder.
fn read(folder: &Path) -> Result<(PackFiles, Vec<Boundary>)> {
    let text = |name: &str| {
        let path = folder.join(name);
        fs::read_to_string(&path)
            .map_err(|cause| wrong(format!("{}: can't be read ({cause})", path.display())))
    };
    let files =
        read_pack(&text("pack.toml")?, &text("areas.csv")?, &text("links.csv")?, &text("directory.csv")?)
            .map_err(wrong)?;
    let outlines = read_areas(&text("wards.geojson")?, "code", Some("name"))
        .map_err(|mistakes| wrong(format!("wards.geojson:\n{mistakes}")))?;
    Ok((files, outlines))
}

/// The pack that comes with the program, with its illustrative outlines.
pub(super) fn shipped() -> Result<(PackFiles, Vec<Boundary>)> {
    let files = read_pack(llr::PACK, llr::AREAS, llr::LINKS, llr::DIRECTORY)?;
    let wards = llr::wards();
    let grid = Grid::new(files.pack.projection);
    let centres: Vec<(f64, f64)> = wards.iter().map(|ward| ward.centre).collect();
    let outline = |cell: Vec<(f64, f64)>| {
        let corner =
            |at: (f64, f64)| grid.to_degrees(at.0, at.1).map(|(x, y)| Coord { x: round(x), y: round(y) });
        let mut ring: Vec<Coord> = cell.into_iter().filter_map(corner).collect();
        ring.extend(ring.first().copied());
        MultiPolygon(vec![Polygon::new(LineString(ring), vec![])])
    };
    let outlines = wards
        .iter()
        .zip(tessellation(&centres))
        .map(|(ward, cell)| Boundary {
            code: ward.code.clone(),
            name: ward.code.clone(),
            shape: outline(cell),
            in_metres: false,
        })
        .collect();
    Ok((files, outlines))
}

/// Six decimals of a degree, about a decimetre.
fn round(degrees: f64) -> f64 {
    (degrees * 1e6).round() / 1e6
}
