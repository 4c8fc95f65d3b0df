//! Mistakes in `[sign_in.oidc]`: all of them at once, each with what to do.

use crate::{config::Config, model::AreaRef, web::Provider};

/// What is said of these settings, and how they print when nothing is.
fn said(site: &str, settings: &str) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tension-watch.toml");
    std::fs::write(folder.path().join("secret"), "open sesame\n").unwrap();
    std::fs::write(folder.path().join("empty"), "\n").unwrap();
    let text = format!(
        "[store]\naddress = \"sqlite:t.db\"\n[site]\naddress = \"{site}\"\n[mail]\nfrom = \"w@county.invalid\"\n\
         transport = {{ kind = \"file\", folder = \"mail\" }}\n[sign_in.oidc]\n{settings}\n"
    );
    std::fs::write(&file, text).unwrap();
    let config = Config::read(&file).map_err(|wrong| wrong.to_string())?;
    let is_area = |area: &AreaRef| area.code == "charnwood";
    Provider::of(&config, &is_area).map(|found| format!("{found:?}")).map_err(|wrong| wrong.to_string())
}

const GOOD: &str = "issuer = \"https://login.county.example/realms/staff\"\nclient_id = \"watch\"\n\
                    client_secret_file = \"secret\"\nroles = [{ value = \"a\", role = \"analyst\" }]\n";
const HERE: &str = "https://watch.county.example";

#[test]
fn good_settings_hold_and_print_no_secret() {
    let printed = said(HERE, GOOD).unwrap();
    assert!(printed.contains("login.county.example") && !printed.contains("sesame"), "{printed}");
    for issuer in
        ["http://127.0.0.1:3000", "http://localhost:3000/x", "http://[::1]:3000", "https://10.1.2.3/x"]
    {
        let settings = GOOD.replace("https://login.county.example/realms/staff", issuer);
        assert!(said(HERE, &settings).is_ok(), "{issuer}");
    }
}

#[test]
fn an_issuer_is_https_or_on_this_machine() {
    for (issuer, words) in [
        ("http://login.county.example", "is not https"),
        ("http://10.1.2.3", "is not https"),
        ("http://169.254.169.254/latest", "is not https"),
        ("http://127.0.0.1.evil.example", "is not https"),
        ("http://localhost.evil.example", "is not https"),
        ("ftp://login.county.example", "is not https"),
        ("login.county.example", "is no address"),
        ("https://user:pass@login.county.example", "take them out"),
        ("https://login.county.example/?a=b", "take them out"),
        ("https://login.county.example/#a", "take them out"),
    ] {
        let settings = GOOD.replace("https://login.county.example/realms/staff", issuer);
        let said = said(HERE, &settings).unwrap_err();
        assert!(said.contains("[sign_in.oidc] issuer") && said.contains(words), "{issuer}: {said}");
    }
}

#[test]
fn every_mistake_is_told_at_once() {
    let settings = "issuer = \"http://login.county.example\"\nclient_id = \" \"\nclient_secret_file = \"gone\"\n\
                    label = \"\"\nrole_claim = \"\"\nscopes = [\"profile\", \"two words\", \"\"]\nroles = [\n\
                    { value = \"a\", role = \"csp_coordinator\" },\n\
                    { value = \"a\", role = \"analyst\" },\n\
                    { value = \"b\", role = \"csp_chair\", area = \"csp/atlantis\" },\n\
                    { value = \"c\", role = \"csp_chair\", area = \"charnwood\" },\n\
                    { value = \"d\", role = \"csp_chair\", area = \"parish/charnwood\" },\n\
                    { value = \"\", role = \"csp_chair\", area = \"csp/charnwood\" },\n]";
    let said = said("watch.county.example", settings).unwrap_err();
    for words in [
        "issuer: `http://login.county.example` is not https",
        "[site] address",
        "client_id is empty",
        "client_secret_file: ",
        "gone can't be read",
        "label is empty",
        "role_claim is empty",
        "scopes: `two words` is no scope",
        "scopes: `` is no scope",
        "`a`: a csp_coordinator answers for an area; add area",
        "`a`: stands there twice",
        "`b`: there is no `csp/atlantis` in the area pack",
        "`c`: `charnwood`: an area is written kind/code",
        "`d`: `parish`",
        "roles: a value is empty",
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }
    assert_eq!(said.lines().count(), 14, "{said}");
}

#[test]
fn the_rest_is_told_with_its_line() {
    for (from, to, words) in [
        ("role = \"analyst\"", "role = \"analist\"", "analyst"),
        ("client_id", "client_name", "client_name"),
        ("roles = [{ value = \"a\", role = \"analyst\" }]", "", "roles"),
        ("[{ value = \"a\", role = \"analyst\" }]", "[]", "nobody would be let in"),
        ("\"secret\"", "\"empty\"", "is empty; write the secret into it"),
    ] {
        let said = said(HERE, &GOOD.replace(from, to)).unwrap_err();
        assert!(said.contains(words), "{to}: {said}");
    }
}
