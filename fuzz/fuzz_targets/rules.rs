//! No text of a rule file, a calendar or an episodes file makes the check panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;
use tension_watch::{
    model::{Categories, Geography},
    rules::{Known, check},
};

fuzz_target!(|text: &str| {
    let categories = Categories::new(["race", "religion"]).expect("two categories");
    let day = "2026-06-30".parse().expect("a day");
    let geography = Geography::on(day, [], []).expect("no areas");
    let known = Known { categories: &categories, geography: &geography, former: &BTreeMap::new() };
    for name in ["rule.toml", "calendar/2027.toml", "episodes/past.toml"] {
        let files = [(name.to_owned(), text.to_owned())].into();
        let _ = check(&files, &known).shown();
    }
});
