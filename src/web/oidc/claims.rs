//! What an ID token says of somebody, and what that makes them here.

use super::settings::Granted;
use crate::stages::letters::hash_of;
use serde_json::Value;

/// Accounts that a provider vouches for begin with this; no account made here can.
const PREFIX: &str = "oidc:";

/// Whether a provider vouches for an account of this name.
pub(in crate::web) fn is_vouched_for(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// The account of somebody: the same for the same person of the same provider, never that of anybody else. What people
/// may choose for themselves, as a name or an address, has no part in it.
pub(super) fn account_name(issuer: &str, subject: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || "-_.".contains(*c);
    let shown: String = subject.chars().filter(plain).take(36).collect();
    // The issuer is an address and has no line break: the two can't run into each other.
    let whole = hash_of(&format!("{issuer}\n{subject}"));
    format!("{PREFIX}{shown}.{}", &whole[..16])
}

/// The texts of a claim, one or several. A name with dots is tried as a whole first: some providers' names are addresses.
pub(super) fn values<'a>(claims: &'a Value, claim: &str) -> Vec<&'a str> {
    let found =
        claims.get(claim).or_else(|| claim.split('.').try_fold(claims, |inside, part| inside.get(part)));
    match found {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// What the first value of the configuration that somebody has gives them.
pub(super) fn granted<'a>(granted: &'a [Granted], values: &[&str]) -> Option<&'a Granted> {
    granted.iter().find(|granted| values.contains(&granted.value.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Role;
    use serde_json::json;

    #[test]
    fn a_claim_is_found_by_its_name_or_its_path() {
        let claims = json!({
            "groups": ["a", 7, "b", ["c"], null],
            "role": "one",
            "realm_access": {"roles": ["r"]},
            "https://county.example/roles": ["n"],
            "number": 7,
        });
        for (claim, found) in [
            ("groups", &["a", "b"][..]),
            ("role", &["one"]),
            ("realm_access.roles", &["r"]),
            ("https://county.example/roles", &["n"]),
            ("realm_access", &[]),
            ("realm_access.roles.0", &[]),
            ("number", &[]),
            ("nothing.at.all", &[]),
            ("", &[]),
        ] {
            assert_eq!(values(&claims, claim), found, "{claim}");
        }
    }

    #[test]
    fn the_first_value_of_the_configuration_counts_and_none_gives_nothing() {
        let given = |value: &str, role| Granted { value: value.into(), role, area: None };
        let all = [given("leads", Role::HateLead), given("council", Role::Partner)];
        assert_eq!(granted(&all, &["council", "leads"]).map(|one| one.role), Some(Role::HateLead));
        assert_eq!(granted(&all, &["council"]).map(|one| one.role), Some(Role::Partner));
        for nothing in [&["Leads"][..], &["lead"], &[" leads"], &[""], &[]] {
            assert_eq!(granted(&all, nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn nobody_has_the_account_of_somebody_else() {
        let here = "https://login.county.example";
        let names = [
            account_name(here, "admin"),
            account_name(here, "Admin"),
            account_name(here, "admin "),
            account_name(here, "ad/min"),
            account_name("https://login.other.example", "admin"),
            account_name(here, ""),
            account_name(here, &"x".repeat(200)),
            account_name(here, &"x".repeat(201)),
        ];
        let different: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len(), "{names:?}");
        assert!(names.iter().all(|name| is_vouched_for(name) && name.len() <= 60), "{names:?}");
        assert!(!is_vouched_for("admin"));
    }
}
