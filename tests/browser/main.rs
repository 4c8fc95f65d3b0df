//! The site in a real browser: the program itself, its own demonstration county, Chromium.
//!
//! With `TENSION_WATCH_PICTURES` naming a folder, every page seen is kept there as a picture.

use fantoccini::{Client, ClientBuilder, Locator, wd::Capabilities};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// How long a page may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A program that ends with this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a program and waits for the line that says where it listens.
fn start(command: &mut Command, says: &str) -> (Running, String) {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn();
    let mut child = child.unwrap_or_else(|failed| panic!("{command:?}: {failed}; scripts/test installs it"));
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.by_ref().map_while(Result::ok).find(|line| line.contains(says));
    let line = line.unwrap_or_else(|| panic!("{command:?} never said `{says}`"));
    // Whatever else it says is read away, so that it never waits for us.
    std::thread::spawn(move || lines.for_each(drop));
    (Running(child), line)
}

async fn browser(width: u32, height: u32, dark: bool) -> (Running, Client) {
    let (driver, line) = start(Command::new("chromedriver").arg("--port=0"), "started successfully on port");
    let port: String = line.rsplit("port ").next().unwrap().chars().filter(char::is_ascii_digit).collect();
    let mut arguments = vec![
        "--headless=new".to_owned(),
        "--no-sandbox".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        format!("--window-size={width},{height}"),
    ];
    if dark {
        arguments.push("--force-dark-mode".to_owned());
        arguments.push("--blink-settings=preferredColorScheme=0".to_owned());
    }
    let mut wanted = Capabilities::new();
    wanted.insert("goog:chromeOptions".into(), json!({"args": arguments}));
    let client = ClientBuilder::new(HttpConnector::new())
        .capabilities(wanted)
        .connect(&format!("http://127.0.0.1:{port}"))
        .await
        .unwrap();
    (driver, client)
}

async fn picture(client: &Client, name: &str) {
    if let Some(folder) = std::env::var_os("TENSION_WATCH_PICTURES") {
        let png = client.screenshot().await.unwrap();
        std::fs::write(std::path::Path::new(&folder).join(format!("{name}.png")), png).unwrap();
    }
}

/// Every rule of WCAG 2.2 A and AA that a program can check.
async fn accessible(client: &Client, page: &str) {
    let axe = concat!(env!("OUT_DIR"), "/ui-work/node_modules/axe-core/axe.min.js");
    let axe = std::fs::read_to_string(axe)
        .expect("axe-core is there when npm built ui/; scripts/test installs npm");
    client.execute(&axe, vec![]).await.unwrap();
    let run = "const done = arguments[arguments.length - 1]; \
               axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}) \
                  .then(r => done(r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html).join(' | '))));";
    let found = client.execute_async(run, vec![]).await.unwrap();
    assert_eq!(found, Value::Array(vec![]), "{page}");
}

async fn sign_in(client: &Client, site: &str, account: &str) {
    client.goto(&format!("{site}/sign-in")).await.unwrap();
    client.find(Locator::Id("name")).await.unwrap().send_keys(account).await.unwrap();
    client.find(Locator::Id("password")).await.unwrap().send_keys("demonstration").await.unwrap();
    client.find(Locator::Css("main button")).await.unwrap().click().await.unwrap();
    // The sign-in page has a heading too: only a signed-in reader can sign out.
    client.wait().at_most(PATIENCE).for_element(Locator::Css("form[action='/sign-out']")).await.unwrap();
}

/// Waits until the browser stands at an address that holds this.
async fn at(client: &Client, part: &str) {
    let began = std::time::Instant::now();
    while !client.current_url().await.unwrap().as_str().contains(part) {
        assert!(began.elapsed() < PATIENCE, "never came to an address with {part}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_coordinator_reads_the_hotspots_and_an_alert() {
    let folder = tempfile::tempdir().unwrap();
    let nights = std::env::var("TENSION_WATCH_PICTURE_NIGHTS").unwrap_or_else(|_| "6".into());
    let mut demo = Command::new(env!("CARGO_BIN_EXE_tension-watch"));
    demo.args(["demo", "--listen", "127.0.0.1:0", "--nights", &nights, "--dir"]).arg(folder.path());
    let (_site, line) = start(&mut demo, "listens on");
    let site = line.rsplit(' ').next().unwrap().to_owned();

    for (look, width, height, dark) in
        [("desktop", 1360, 1000, false), ("phone", 500, 900, false), ("dark", 1360, 1000, true)]
    {
        let (_driver, client) = browser(width, height, dark).await;
        client.goto(&format!("{site}/sign-in")).await.unwrap();
        accessible(&client, "sign-in").await;
        picture(&client, &format!("{look}-sign-in")).await;

        sign_in(&client, &site, "analyst").await;
        let map = Locator::Css("#map canvas");
        client.wait().at_most(PATIENCE).for_element(map).await.expect("the map is drawn");
        let rows = client.find_all(Locator::Css("tbody tr")).await.unwrap().len();
        assert_eq!(rows, 176, "the table is whole");
        accessible(&client, "hotspots").await;
        picture(&client, &format!("{look}-hotspots")).await;

        // What is chosen stands in the address, so that a link restores the view.
        let strand = client.find(Locator::Css("#strand option[value=religion]")).await.unwrap();
        strand.click().await.unwrap();
        client.find(Locator::Css(".controls button")).await.unwrap().click().await.unwrap();
        at(&client, "strand=religion").await;
        client.wait().at_most(PATIENCE).for_element(map).await.unwrap();
        let chosen = client.find(Locator::Css("#strand option:checked")).await.unwrap();
        assert_eq!(chosen.text().await.unwrap(), "Religion");

        client.goto(&format!("{site}/alerts")).await.unwrap();
        accessible(&client, "alerts").await;
        picture(&client, &format!("{look}-alerts")).await;
        let first =
            client.find(Locator::Css("tbody a")).await.expect("the last nights of the county bring alerts");
        first.click().await.unwrap();
        client.wait().at_most(PATIENCE).for_element(Locator::Css(".facts")).await.unwrap();
        accessible(&client, "alert").await;
        picture(&client, &format!("{look}-alert")).await;
        client.close().await.unwrap();
    }
}
