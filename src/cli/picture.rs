//! A mail as it looks, drawn by a browser: what a mail program shows can't be known otherwise.

use super::wrong;
use anyhow::{Context, Result, anyhow};
use std::{
    fs::File,
    io::{BufReader, BufWriter},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Under these names the browser is installed.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Name, width in pixels, and whether in the dark.
const LOOKS: [(&str, u32, bool); 3] = [("desktop", 720, false), ("phone", 390, false), ("dark", 720, true)];

/// Taller than any mail; what stays empty is cut off.
const TALL: u32 = 6_000;

/// Draws `NUMBER.html` in a folder as it looks on a desktop, on a phone and in the dark, beside it.
pub(super) fn of_mail(dir: &Path, number: &str) -> Result<Vec<PathBuf>> {
    let page = dir.join(format!("{number}.html"));
    let page = page.canonicalize().with_context(|| format!("{}: is not there", page.display()))?;
    let mut made = Vec::new();
    for (look, width, dark) in LOOKS {
        let picture = dir.join(format!("{number}-{look}.png"));
        draw(&page, &picture, width, dark)?;
        crop(&picture)?;
        made.push(picture);
    }
    Ok(made)
}

fn draw(page: &Path, picture: &Path, width: u32, dark: bool) -> Result<()> {
    let profile = picture.with_extension("profile");
    let mut asked = vec![
        "--headless=new".to_owned(),
        "--disable-gpu".into(),
        "--hide-scrollbars".into(),
        "--no-first-run".into(),
        "--disable-background-networking".into(),
        format!("--user-data-dir={}", profile.display()),
        format!("--window-size={width},{TALL}"),
        format!("--screenshot={}", std::path::absolute(picture)?.display()),
    ];
    if dark {
        asked.push("--blink-settings=preferredColorScheme=0".into());
    }
    // As root it starts only without its sandbox; the page is ours and loads nothing.
    if std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) {
        asked.push("--no-sandbox".into());
    }
    asked.push(format!("file://{}", page.display()));
    let run = |browser: &str| {
        Command::new(browser)
            .args(&asked)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
    };
    let done = BROWSERS.iter().find_map(|browser| run(browser).ok());
    // Only the browser's own scraps: nothing of it is needed again.
    let _ = std::fs::remove_dir_all(&profile);
    match done {
        None => Err(wrong(
            "pictures of a mail are drawn by Chromium, which is not here; install it (Debian: apt install chromium), or \
             open the .html file in a browser",
        )),
        Some(status) if status.success() && picture.exists() => Ok(()),
        Some(status) => Err(anyhow!("{}: the browser drew nothing ({status})", picture.display())),
    }
}

/// Cuts off what is empty below: rows that are all like the last one.
fn crop(path: &Path) -> Result<()> {
    let unreadable = || format!("{}: can't be read as a picture", path.display());
    let mut reader =
        png::Decoder::new(BufReader::new(File::open(path)?)).read_info().with_context(unreadable)?;
    let mut pixels = vec![0; reader.output_buffer_size().with_context(unreadable)?];
    let info = reader.next_frame(&mut pixels).with_context(unreadable)?;
    let rows: Vec<&[u8]> = pixels[..info.buffer_size()].chunks(info.line_size).collect();
    let Some(last) = rows.last() else { return Ok(()) };
    let kept = rows.iter().rposition(|row| row != last).map_or(1, |row| (row + 25).min(rows.len()));
    let file = BufWriter::new(File::create(path)?);
    let mut encoder = png::Encoder::new(file, info.width, kept as u32);
    encoder.set_color(info.color_type);
    encoder.set_depth(info.bit_depth);
    let mut writer = encoder.write_header().with_context(unreadable)?;
    writer.write_image_data(&pixels[..kept * info.line_size]).with_context(unreadable)?;
    Ok(writer.finish()?)
}
