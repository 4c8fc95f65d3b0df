//! Builds the map's script and fetches the pages' typeface with npm, once for every change of `ui/`. Without npm the
//! pages do without both.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What `npm run build` makes; empty files stand for them where there is no npm.
const MADE: [&str; 4] = ["live.js", "map.js", "map.css", "source-sans-3.woff2"];

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("ui");
    println!("cargo:rerun-if-env-changed=TENSION_WATCH_UI");
    for file in
        ["ui/src", "ui/package.json", "ui/package-lock.json", "ui/tsconfig.json", "build.rs", "migrations"]
    {
        println!("cargo:rerun-if-changed={file}");
    }
    if let Err(failed) = fs::create_dir_all(&out) {
        println!("cargo:warning={}: {failed}", out.display());
    }
    let built = match env::var_os("TENSION_WATCH_UI") {
        Some(folder) => copy(Path::new(&folder), &out),
        None => build(&out),
    };
    if let Err(reason) = built {
        println!(
            "cargo:warning=the interactive map is left out ({reason}); install npm, or name a built folder in TENSION_WATCH_UI"
        );
        for file in MADE {
            let _ = fs::write(out.join(file), "");
        }
        // A file that is never there: the next build tries again.
        println!("cargo:rerun-if-changed=ui/never-there");
    }
}

fn build(out: &Path) -> Result<(), String> {
    // The sources stay clean: packages are installed in a copy.
    let work = out.with_file_name("ui-work");
    let _ = fs::remove_dir_all(&work);
    fs::create_dir_all(work.join("src")).map_err(|failed| failed.to_string())?;
    for file in ["package.json", "package-lock.json", "tsconfig.json", "src/live.ts", "src/map.ts"] {
        fs::copy(Path::new("ui").join(file), work.join(file))
            .map_err(|failed| format!("ui/{file}: {failed}"))?;
    }
    for arguments in [&["ci", "--no-audit", "--no-fund", "--silent"][..], &["run", "build", "--silent"]] {
        let status = Command::new("npm").args(arguments).current_dir(&work).env("OUT", out).status();
        match status {
            Ok(status) if status.success() => {}
            Ok(status) => return Err(format!("npm {} ended with {status}", arguments.join(" "))),
            Err(failed) => return Err(format!("npm: {failed}")),
        }
    }
    Ok(())
}

fn copy(from: &Path, out: &Path) -> Result<(), String> {
    for file in MADE {
        fs::copy(from.join(file), out.join(file))
            .map_err(|failed| format!("{}: {failed}", from.join(file).display()))?;
    }
    Ok(())
}
