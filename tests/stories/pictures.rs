//! The mail of an alert as it looks, drawn by a real browser.

use crate::{
    kill_site::{Site, burst, program},
    support::day,
};
use std::{fs, fs::File, io::BufReader, path::Path};

/// Width, height and mean brightness, 0 to 255.
fn looked_at(path: &Path) -> (u32, u32, f64) {
    let mut reader = png::Decoder::new(BufReader::new(File::open(path).unwrap())).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let used = &pixels[..info.buffer_size()];
    let mean = used.iter().map(|&one| f64::from(one)).sum::<f64>() / used.len() as f64;
    (info.width, info.height, mean)
}

#[tokio::test]
async fn a_mail_is_drawn_as_it_looks_on_a_desktop_on_a_phone_and_in_the_dark() {
    let site = Site::new();
    fs::write(site.path.join("burst.csv"), burst(0, day("2026-05-01"))).unwrap();
    for step in [
        &["import", "incidents", "burst.csv", "--source", "police"][..],
        &["run", "--as-of", "2026-05-01"],
        &["alert", "preview", "LLR-2026-0001", "--dir", "looks", "--pictures"],
    ] {
        assert!(program(&site.path, step).status().unwrap().success(), "{step:?}");
    }
    let look = |name: &str| looked_at(&site.path.join(format!("looks/LLR-2026-0001-{name}.png")));
    let (desktop, phone, dark) = (look("desktop"), look("phone"), look("dark"));
    assert_eq!((desktop.0, phone.0, dark.0), (720, 390, 720));
    for (_, height, brightness) in [desktop, phone, dark] {
        assert!((600..5_000).contains(&height), "cut to what is drawn: {height}");
        assert!(brightness > 5.0, "something is drawn");
    }
    assert!(phone.1 > desktop.1, "a narrow mail is longer: {} and {}", phone.1, desktop.1);
    assert!(dark.2 < desktop.2 - 60.0, "dark is darker: {} and {}", dark.2, desktop.2);
    let scraps = fs::read_dir(site.path.join("looks")).unwrap().flatten();
    assert!(!scraps.into_iter().any(|one| one.path().is_dir()), "the browser leaves nothing behind");
}
