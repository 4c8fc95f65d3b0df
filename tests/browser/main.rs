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

async fn sign_out(client: &Client) {
    client.find(Locator::Css("form[action='/sign-out'] button")).await.unwrap().click().await.unwrap();
    client.wait().at_most(PATIENCE).for_element(Locator::Id("password")).await.unwrap();
}

/// Opens a page, judges it, and keeps its picture. Nothing may be wider than the window: only tables scroll, by themselves.
async fn look(client: &Client, address: &str, name: &str) {
    client.goto(address).await.unwrap();
    accessible(client, name).await;
    let wider = "return document.documentElement.scrollWidth - document.documentElement.clientWidth;";
    assert_eq!(client.execute(wider, vec![]).await.unwrap(), json!(0), "{name} is wider than the window");
    picture(client, name).await;
}

async fn heading(client: &Client) -> String {
    client.find(Locator::Css("h1")).await.unwrap().text().await.unwrap()
}

/// Presses what this names, and waits until the next page has what that names.
async fn press(client: &Client, button: &str, then: &str) {
    client.find(Locator::Css(button)).await.unwrap_or_else(|_| panic!("no {button}")).click().await.unwrap();
    let there = client.wait().at_most(PATIENCE).for_element(Locator::Css(then)).await;
    there.unwrap_or_else(|failed| panic!("{button} led to no {then}: {failed}"));
}

/// The links by which recipients answer, one for each mail that has one, the newest night first.
fn answer_links(mail: &std::path::Path) -> Vec<String> {
    let files = std::fs::read_dir(mail).unwrap().map(|file| file.unwrap().path());
    let mut links: Vec<(String, String)> = files
        .filter_map(|file| {
            // Long lines are folded with `=` at their ends.
            let text = std::fs::read_to_string(file).ok()?.replace("=\r\n", "").replace("=\n", "");
            let (_, link) = text.split_once("/answer/")?;
            let link: String = link.chars().take_while(char::is_ascii_alphanumeric).collect();
            let number = text.lines().find(|line| line.starts_with("Subject:"))?.to_owned();
            Some((number, link))
        })
        .collect();
    links.sort();
    links.into_iter().rev().map(|(_, link)| link).collect()
}

async fn coordinator(client: &Client, site: &str, look_of: &str, link: &str) {
    // The link of a mail opens a page and changes nothing.
    let answer = format!("{site}/answer/{link}");
    look(client, &answer, &format!("{look_of}-answer")).await;
    assert!(client.find(Locator::Css("main form button")).await.is_ok(), "the page has a button");

    sign_in(client, site, "csp-leicester").await;
    let rows = client.find_all(Locator::Css("tbody tr")).await.unwrap().len();
    assert!((1..176).contains(&rows), "{rows} wards of one partnership");
    press(client, "#table tbody th a", ".curve").await;
    accessible(client, "area").await;
    picture(client, &format!("{look_of}-area")).await;
    client.goto(&format!("{site}/alerts")).await.unwrap();
    press(client, "tbody a", ".facts").await;
    accessible(client, "alert").await;
    picture(client, &format!("{look_of}-alert")).await;
    actions(client, site, look_of).await;
    look(client, &format!("{site}/under-reporting"), &format!("{look_of}-own-under-reporting")).await;
    look(client, &format!("{site}/campaigns"), &format!("{look_of}-own-campaign")).await;
    look(client, &format!("{site}/silences"), &format!("{look_of}-silences")).await;
    client.find(Locator::Id("reason")).await.unwrap().send_keys("a march that was announced").await.unwrap();
    // Quiet is asked for from today on, whatever day the county's clock shows.
    let until = "document.getElementById('until').valueAsDate = new Date(Date.now() + 10 * 86400e3)";
    client.execute(until, vec![]).await.unwrap();
    press(client, "button[value=preview]", "button[value=keep]").await;
    accessible(client, "silence, shown before it is kept").await;
    picture(client, &format!("{look_of}-silence-shown")).await;
    sign_out(client).await;
}

/// The form of an alert with its suggestions; then the register, to which something is added and in which it ends.
async fn actions(client: &Client, site: &str, look_of: &str) {
    client
        .execute("document.querySelectorAll('.panel details').forEach(part => part.open = true)", vec![])
        .await
        .unwrap();
    accessible(client, "alert with its forms").await;
    picture(client, &format!("{look_of}-alert-forms")).await;
    client.goto(&format!("{site}/actions")).await.unwrap();
    client.find(Locator::Id("action")).await.unwrap().send_keys("A talk at the college").await.unwrap();
    let due = "document.getElementById('due').valueAsDate = new Date(Date.now() + 10 * 86400e3)";
    client.execute(due, vec![]).await.unwrap();
    let recorded = "document.body.innerText.split('A talk at the college').length";
    let before = client.execute(&format!("return {recorded}"), vec![]).await.unwrap();
    press(client, ".panel form[action='/actions'] button", "table.register").await;
    let after = client.execute(&format!("return {recorded}"), vec![]).await.unwrap();
    assert!(after.as_u64() > before.as_u64(), "{before} {after}");
    client.execute("document.querySelector('table.register details').open = true", vec![]).await.unwrap();
    accessible(client, "action register").await;
    picture(client, &format!("{look_of}-actions")).await;
}

/// The latest quarter's report, which is a page of its own.
async fn report(client: &Client, site: &str, look_of: &str) {
    client.goto(&format!("{site}/reports")).await.unwrap();
    press(client, "table td a[href^='/reports/']", ".strip").await;
    accessible(client, "quarterly report").await;
    picture(client, &format!("{look_of}-report")).await;
}

async fn analyst(client: &Client, site: &str, look_of: &str) {
    sign_in(client, site, "analyst").await;
    let map = Locator::Css("#map canvas");
    client.wait().at_most(PATIENCE).for_element(map).await.expect("the map is drawn");
    let rows = client.find_all(Locator::Css("tbody tr")).await.unwrap().len();
    assert_eq!(rows, 176, "the table is whole");
    accessible(client, "hotspots").await;
    picture(client, &format!("{look_of}-hotspots")).await;

    // The slider changes the words, the table, the map and the address, without a new page.
    client.wait().at_most(PATIENCE).for_element(Locator::Css("#weeks:not([hidden])")).await.unwrap();
    let (before, now) = (heading_of_days(client).await, client.current_url().await.unwrap());
    let slider = client.find(Locator::Id("week")).await.unwrap();
    slider.send_keys("\u{e012}").await.unwrap(); // the left arrow
    at(client, "night=").await;
    assert_ne!(heading_of_days(client).await, before);
    assert_ne!(client.current_url().await.unwrap(), now);
    assert_eq!(client.find_all(Locator::Css("tbody tr")).await.unwrap().len(), 176);
    accessible(client, "hotspots a week earlier").await;
    for step in ["closer", "further", "closer", "all"] {
        client
            .find(Locator::Css(&format!("#zoom button[value={step}]")))
            .await
            .unwrap()
            .click()
            .await
            .unwrap();
    }
    press(client, "#hexagons", "#map[data-drawn]:not([data-drawn='0'])").await;
    picture(client, &format!("{look_of}-hexagons")).await;

    // The map as a picture to take away is that of the address.
    let fetched = "const done = arguments[arguments.length - 1]; const link = document.querySelector('#downloads a[href*=png]'); \
                   fetch(link.href).then(async r => done([r.status, r.headers.get('content-type'), (await r.blob()).size > 10000]));";
    assert_eq!(client.execute_async(fetched, vec![]).await.unwrap(), json!([200, "image/png", true]));

    // What is chosen stands in the address, so that a link restores the view.
    client.find(Locator::Css("#strand option[value=religion]")).await.unwrap().click().await.unwrap();
    client.find(Locator::Css(".controls button")).await.unwrap().click().await.unwrap();
    at(client, "strand=religion").await;
    client.wait().at_most(PATIENCE).for_element(map).await.unwrap();
    let chosen = client.find(Locator::Css("#strand option:checked")).await.unwrap();
    assert_eq!(chosen.text().await.unwrap(), "Religion");

    for (path, name) in [
        ("/alerts", "alerts"),
        ("/areas/csp/safer-leicester?period=28", "partnership"),
        ("/under-reporting", "under-reporting"),
        ("/campaigns", "campaigns"),
        ("/reports", "reports"),
        ("/rules", "rules"),
        ("/rules/race-week-spike", "rule"),
        ("/rules/race-week-spike/try", "try"),
        ("/rules/why-not", "why-not"),
        ("/imports", "imports"),
        ("/runs", "runs"),
        ("/outbox", "outbox"),
        ("/published", "published"),
    ] {
        look(client, &format!("{site}{path}"), &format!("{look_of}-{name}")).await;
        assert!(!heading(client).await.starts_with("There is no such page"), "{path}");
    }
    report(client, site, look_of).await;
    // A rule with a mistake, and as it should be: tried over three months.
    client.goto(&format!("{site}/rules/race-week-spike/try")).await.unwrap();
    let spoil =
        "const t = document.getElementById('text'); t.value = t.value.replace('rarer_than', 'rarer_then');";
    client.execute(spoil, vec![]).await.unwrap();
    press(client, "main form button", "[role=alert] pre").await;
    accessible(client, "a rule with a mistake").await;
    picture(client, &format!("{look_of}-try-mistake")).await;
    let mend = "const t = document.getElementById('text'); t.value = t.value.replace('rarer_then', 'rarer_than'); \
                document.getElementById('since').value = '3m'; document.getElementById('alone').checked = true;";
    client.execute(mend, vec![]).await.unwrap();
    press(client, "main form button", "#trial h2").await;
    assert!(heading(client).await.ends_with("in 3 months"), "{}", heading(client).await);
    accessible(client, "a rule that was tried").await;
    picture(client, &format!("{look_of}-tried")).await;
    // The rows of an import that could not be used, by its line in the list.
    client.goto(&format!("{site}/imports")).await.unwrap();
    let import = client.find(Locator::Css("tbody a")).await.unwrap().attr("href").await.unwrap().unwrap();
    look(client, &format!("{site}{import}"), &format!("{look_of}-import")).await;
    assert!(heading(client).await.contains("could not be used"));
    sign_out(client).await;
}

async fn heading_of_days(client: &Client) -> String {
    client.find(Locator::Id("lede")).await.unwrap().text().await.unwrap()
}

async fn partner_auditor_and_administrator(client: &Client, site: &str, look_of: &str) {
    sign_in(client, site, "partner").await;
    at(client, "/published").await;
    accessible(client, "published").await;
    picture(client, &format!("{look_of}-partner")).await;
    client.goto(&format!("{site}/alerts")).await.unwrap();
    assert!(heading(client).await.starts_with("There is no such page"), "partners have no list of alerts");
    accessible(client, "not found").await;
    client.goto(site).await.unwrap();
    sign_out(client).await;
    sign_in(client, site, "auditor").await;
    look(client, &format!("{site}/audit"), &format!("{look_of}-audit")).await;
    sign_out(client).await;
    sign_in(client, site, "admin").await;
    at(client, "/runs").await;
    for page in ["runs", "accounts", "tokens"] {
        look(client, &format!("{site}/{page}"), &format!("{look_of}-admin-{page}")).await;
    }
    // A password that was made is shown, and reads well too.
    client.goto(&format!("{site}/accounts")).await.unwrap();
    client.find(Locator::Id("name")).await.unwrap().send_keys("chair").await.unwrap();
    let script = "document.getElementById('role').value = 'csp_chair'; \
                  document.getElementById('area').value = 'csp/charnwood';";
    client.execute(script, vec![]).await.unwrap();
    press(client, "form[action='/accounts'] button", ".secret code").await;
    accessible(client, "an account made").await;
    picture(client, &format!("{look_of}-account-made")).await;
    sign_out(client).await;
}

/// Everything by keyboard: from the top of the page on, Tab comes to the skip link, every control and every area.
async fn keyboard(client: &Client, site: &str) {
    sign_in(client, site, "csp-leicester").await;
    client.goto(site).await.unwrap();
    let script = "const kept = []; for (const e of document.querySelectorAll('a[href], button, select, input:not([type=hidden]), \
                  summary')) { if (e.offsetParent !== null && e.tabIndex < 0) kept.push(e.outerHTML.slice(0, 80)); } return kept;";
    assert_eq!(client.execute(script, vec![]).await.unwrap(), json!([]), "out of reach of the keyboard");
    let body = client.find(Locator::Css("body")).await.unwrap();
    body.send_keys("\u{e004}").await.unwrap(); // Tab
    let focused = "const e = document.activeElement, s = getComputedStyle(e); \
                   return [e.className, s.outlineStyle !== 'none' && e.getBoundingClientRect().left >= 0];";
    assert_eq!(
        client.execute(focused, vec![]).await.unwrap(),
        json!(["skip", true]),
        "the skip link comes first, seen"
    );
    sign_out(client).await;
}

#[tokio::test]
async fn everybody_from_coordinator_to_administrator_finds_their_way() {
    let folder = tempfile::tempdir().unwrap();
    let nights = std::env::var("TENSION_WATCH_PICTURE_NIGHTS").unwrap_or_else(|_| "8".into());
    let mut demo = Command::new(env!("CARGO_BIN_EXE_tension-watch"));
    demo.args(["demo", "--listen", "127.0.0.1:0", "--nights", &nights, "--dir"]).arg(folder.path());
    let (_site, line) = start(&mut demo, "listens on");
    let site = line.rsplit(' ').next().unwrap().to_owned();
    let links = answer_links(&folder.path().join("mail"));
    let newest = links.first().expect("the last nights of the county bring mails");

    for (look_of, width, height, dark) in
        [("desktop", 1360, 1000, false), ("phone", 500, 900, false), ("dark", 1360, 1000, true)]
    {
        let (_driver, client) = browser(width, height, dark).await;
        look(&client, &format!("{site}/sign-in"), &format!("{look_of}-sign-in")).await;
        coordinator(&client, &site, look_of, newest).await;
        analyst(&client, &site, look_of).await;
        partner_auditor_and_administrator(&client, &site, look_of).await;
        if look_of == "desktop" {
            keyboard(&client, &site).await;
        }
        client.close().await.unwrap();
    }
}
