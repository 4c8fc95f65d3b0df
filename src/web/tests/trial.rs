//! A rule tried in the browser: mistakes with their lines, one trial at a time, and nothing saved.

use super::*;

fn form(token: &str, text: &str) -> String {
    let text: String =
        text.bytes()
            .map(|byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            })
            .collect();
    format!("token={token}&since=3m&alone=yes&text={text}")
}

const PAGE: &str = "/rules/race-week-spike/try";
const RULE: &str = include_str!("../../../rules/race-week-spike.toml");

#[tokio::test]
async fn mistakes_are_shown_with_their_lines_and_the_text_is_kept() {
    let pages = Pages::new().await;
    let cookie = pages.sign_in("analyst").await;
    let token = pages.token(PAGE, &cookie).await;
    let wrong = RULE.replace("rarer_than", "rarer_then") + "# </textarea><script>alert(1)</script>\n";
    // Browsers end lines as forms do.
    let (answer, text) = pages.post(PAGE, &cookie, OWN, &form(&token, &wrong.replace('\n', "\r\n"))).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text.contains("race-week-spike.toml") && text.contains("rarer_than"), "{text}");
    assert!(text.contains("&lt;&#x2f;textarea&gt;") && !text.contains("<script>"), "{text}");
    let (_, text) = pages.get(PAGE, &cookie).await;
    assert!(text.contains("What would this rule have told?"), "nothing was begun: {text}");
    let long = form(&token, &format!("{RULE}# {}", "x".repeat(20_000)));
    let (answer, text) = pages.post(PAGE, &cookie, OWN, &long).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text.contains("longer than 20000 letters"), "{text}");
}

#[tokio::test]
async fn one_rule_is_tried_at_a_time_and_the_rules_in_force_stay() {
    let pages = Pages::new().await;
    let cookie = pages.sign_in("analyst").await;
    let token = pages.token(PAGE, &cookie).await;
    let before = pages.store.last_rules().await.unwrap();
    let turn = pages.site.trials.taken().unwrap();
    let (answer, text) = pages.post(PAGE, &cookie, OWN, &form(&token, RULE)).await;
    assert_eq!(answer.status(), StatusCode::CONFLICT);
    assert!(text.contains("one is tried at a time"), "{text}");
    drop(turn);
    let other = RULE.replace("at_least    = 4", "at_least    = 5");
    let (answer, _) = pages.post(PAGE, &cookie, OWN, &form(&token, &other)).await;
    assert_eq!(
        (answer.status(), &answer.headers()["location"]),
        (StatusCode::SEE_OTHER, &PAGE.parse().unwrap())
    );
    // Nothing was ever imported here: that is what it says in the end.
    let begun = std::time::Instant::now();
    let told = loop {
        let (_, text) = pages.get(PAGE, &cookie).await;
        if !text.contains("data-live") {
            break text;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{text}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(told.contains("There are no incidents yet"), "{told}");
    assert!(told.contains(", changed</label>"), "the text is what was tried: {told}");
    let (_, text) = pages.get(PAGE, &pages.sign_in("the-analyst").await).await;
    assert!(!text.contains("There are no incidents yet"), "a trial is its author's: {text}");
    assert_eq!(pages.store.last_rules().await.unwrap(), before, "nothing is saved");
}
