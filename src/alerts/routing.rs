//! Who is told: from the wards of an alert, through the directory, to mailboxes.

use crate::model::{AreaKind, AreaRef, Finding, Geography, Mailbox, Mute, Party, Role, Subject};

/// A mailbox that is told, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Where the message goes.
    pub address: String,
    /// The role it is told as: the first of the rule's list that led here.
    pub role: Role,
    /// The area it answers for in that role; none is the whole county.
    pub area: Option<AreaRef>,
    /// Told only because somebody else could not be.
    pub in_place: bool,
    /// When it wants no mail.
    pub mute: Option<Mute>,
}

impl Recipient {
    /// Whose mailbox it is.
    #[must_use]
    pub fn party(&self) -> Party {
        Party { role: self.role, area: self.area.clone() }
    }

    /// As other readers of the message see it: a role and an area, never an address or a name of a person.
    #[must_use]
    pub fn label(&self, geography: &Geography) -> String {
        self.party().label(geography)
    }
}

/// A ward for which the directory has nobody in a role that the rule names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The ward, by code; none when the finding lies in no ward at all.
    pub ward: Option<String>,
    /// The role.
    pub role: Role,
}

/// The wards and roles for which the directory has nobody, over all wards: what `directory check` names.
#[must_use]
pub fn gaps(geography: &Geography, roles: &[Role], directory: &[Mailbox]) -> Vec<Gap> {
    let wards = || geography.of_kind(AreaKind::Ward).map(|ward| &ward.code);
    let live = |entry: &&Mailbox| entry.active && !entry.address.trim().is_empty();
    let mut gaps = Vec::new();
    for &role in roles {
        for ward in wards() {
            let mut found = directory.iter().filter(live);
            if !found.any(|entry| entry.role == role && answers_for(entry, Some(ward), geography)) {
                gaps.push(Gap { ward: Some(ward.clone()), role });
            }
        }
    }
    gaps
}

/// Everybody who is told about one finding.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Route {
    /// One entry for each address, in the order of the rule's list and of the wards.
    pub recipients: Vec<Recipient>,
    /// Whom nobody could be found for; the analyst and the hate lead are told in their place.
    pub gaps: Vec<Gap>,
}

/// The role that a rule file means, by its own words or by the directory's code.
#[must_use]
pub fn role_in_words(text: &str) -> Option<Role> {
    match text {
        "csp" | "csp coordinator" => Some(Role::CspCoordinator),
        "csp chair" => Some(Role::CspChair),
        "neighbourhood team" | "neighbourhood sergeant" => Some(Role::NptSergeant),
        "neighbourhood commander" => Some(Role::NpaCommander),
        "hate lead" => Some(Role::HateLead),
        code => code.parse().ok(),
    }
}

/// Finds everybody who is told about a finding, each address once.
///
/// A mailbox answers for a ward when its area is that ward, one that the ward belongs to (all of them: links are
/// many-to-many), or the whole county, and somebody reads it. Where a role has nobody for a ward, the gap is named and the county's analyst and
/// hate lead are told instead, so that nothing is lost. Without those too, `recipients` may be empty: then the run has to
/// say so.
#[must_use]
pub fn route(finding: &Finding, who: &[Role], geography: &Geography, directory: &[Mailbox]) -> Route {
    let mut route = Route::default();
    let wards = wards_concerned(finding, geography);
    for &role in who {
        for ward in &wards {
            let found = directory
                .iter()
                .filter(|entry| entry.role == role && answers_for(entry, ward.as_deref(), geography));
            if route.add(found, false) == 0 {
                route.gaps.push(Gap { ward: ward.clone(), role });
            }
        }
    }
    if !route.gaps.is_empty() {
        for role in [Role::Analyst, Role::HateLead] {
            route.add(directory.iter().filter(|entry| entry.role == role), true);
        }
    }
    route
}

impl Route {
    /// Adds the mailboxes that are not there yet; how many there were, new or not.
    fn add<'a>(&mut self, found: impl Iterator<Item = &'a Mailbox>, in_place: bool) -> usize {
        let mut count = 0;
        for entry in found {
            let address = entry.address.trim();
            if address.is_empty() || !entry.active {
                continue;
            }
            count += 1;
            if !self.recipients.iter().any(|known| known.address.eq_ignore_ascii_case(address)) {
                let address = address.to_owned();
                self.recipients.push(Recipient {
                    address,
                    role: entry.role,
                    area: entry.area.clone(),
                    in_place,
                    mute: entry.mute,
                });
            }
        }
        count
    }
}

/// The finding's wards; for one about an area that names none, the wards of that area; `None` stands for no ward.
fn wards_concerned(finding: &Finding, geography: &Geography) -> Vec<Option<String>> {
    let mut wards = finding.wards.clone();
    if let (true, Subject::Area { area, .. }) = (wards.is_empty(), &finding.subject) {
        wards = match area.kind {
            AreaKind::Ward => vec![area.code.clone()],
            AreaKind::Whole => geography.of_kind(AreaKind::Ward).map(|ward| ward.code.clone()).collect(),
            kind => geography.wards_of(kind, &area.code).map(|ward| ward.code.clone()).collect(),
        };
    }
    if wards.is_empty() { vec![None] } else { wards.into_iter().map(Some).collect() }
}

fn answers_for(entry: &Mailbox, ward: Option<&str>, geography: &Geography) -> bool {
    let Some(area) = &entry.area else { return true };
    if area.kind == AreaKind::Whole {
        return true;
    }
    ward.is_some_and(|ward| geography.lies_in(ward, area))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::{AlertLevel, Area, Recurrence, Window};
    use chrono::NaiveDate;

    pub(in crate::alerts) fn geography() -> Geography {
        let day = NaiveDate::from_ymd_opt(2026, 6, 29).unwrap();
        let area = |kind, code: &str, name: &str| Area {
            kind,
            code: code.into(),
            name: name.into(),
            boundary_year: 2025,
            valid_from: NaiveDate::from_ymd_opt(2020, 1, 1).unwrap(),
            valid_to: None,
            population: None,
            workday_population: None,
        };
        let areas = [
            area(AreaKind::Ward, "oakham", "Oakham North"),
            area(AreaKind::Ward, "melton", "Melton Craven"),
            area(AreaKind::Csp, "rutland", "Safer Rutland"),
            area(AreaKind::Csp, "melton-csp", "Safer Melton"),
            area(AreaKind::Npa, "melton-rutland", "Melton and Rutland"),
        ];
        let links = [
            ("oakham", AreaKind::Csp, "rutland"),
            ("melton", AreaKind::Csp, "melton-csp"),
            ("oakham", AreaKind::Npa, "melton-rutland"),
            ("melton", AreaKind::Npa, "melton-rutland"),
        ]
        .map(|(ward, kind, code)| (ward.to_owned(), kind, code.to_owned()));
        Geography::on(day, areas, links).unwrap()
    }

    fn mailbox(role: Role, area: Option<(AreaKind, &str)>, address: &str) -> Mailbox {
        let area = area.map(|(kind, code)| AreaRef { kind, code: code.into() });
        Mailbox { role, area, address: address.into(), active: true, mute: None }
    }

    pub(in crate::alerts) fn finding(wards: &[&str]) -> Finding {
        let day = NaiveDate::from_ymd_opt(2026, 6, 29).unwrap();
        Finding {
            rule: "any-street-cluster".into(),
            rule_version: "1a2b".into(),
            title: "Several incidents close together".into(),
            level: AlertLevel::Severe,
            subject: Subject::Cluster(uuid::Uuid::nil()),
            wards: wards.iter().map(|&ward| ward.to_owned()).collect(),
            categories: vec!["race".into()],
            window: Window::ending(day, 7),
            observed: 6,
            expected: 0.4,
            usual_range: None,
            times_usual: None,
            change: None,
            signal: crate::model::SignalKind::Spike,
            share: None,
            calendar: Vec::new(),
            without_calendar: None,
            recurrence: Recurrence::from_daily_rate(1.0 / 400.0),
            members: Vec::new(),
        }
    }

    fn directory() -> Vec<Mailbox> {
        vec![
            mailbox(Role::CspCoordinator, Some((AreaKind::Csp, "rutland")), "csp@rutland.invalid"),
            mailbox(Role::CspCoordinator, Some((AreaKind::Csp, "melton-csp")), "csp@melton.invalid"),
            mailbox(Role::NptSergeant, Some((AreaKind::Npa, "melton-rutland")), "npt@police.invalid"),
            mailbox(Role::Analyst, None, "analyst@police.invalid"),
        ]
    }

    #[test]
    fn an_alert_across_a_border_tells_both_partnerships_and_their_one_police_team_once() {
        let who = [Role::CspCoordinator, Role::NptSergeant];
        let route = route(&finding(&["oakham", "melton"]), &who, &geography(), &directory());
        let told: Vec<_> = route.recipients.iter().map(|told| told.address.as_str()).collect();
        assert_eq!(told, ["csp@rutland.invalid", "csp@melton.invalid", "npt@police.invalid"]);
        assert_eq!(route.gaps, []);
        assert_eq!(route.recipients[0].label(&geography()), "CSP coordinator, Safer Rutland");
    }

    #[test]
    fn a_ward_that_nobody_answers_for_is_named_and_the_analyst_is_told_instead() {
        let mut directory = directory();
        directory.retain(|entry| entry.address != "csp@melton.invalid");
        let route = route(&finding(&["oakham", "melton"]), &[Role::CspCoordinator], &geography(), &directory);
        assert_eq!(route.gaps, [Gap { ward: Some("melton".into()), role: Role::CspCoordinator }]);
        let told: Vec<_> =
            route.recipients.iter().map(|told| (told.address.as_str(), told.in_place)).collect();
        assert_eq!(told, [("csp@rutland.invalid", false), ("analyst@police.invalid", true)]);
    }

    #[test]
    fn a_finding_about_a_partnership_concerns_all_its_wards_and_one_in_no_ward_the_county() {
        let mut about = finding(&[]);
        let found = route(&about, &[Role::CspCoordinator], &geography(), &directory());
        assert_eq!(found.gaps, [Gap { ward: None, role: Role::CspCoordinator }]);
        assert_eq!(found.recipients[0].role, Role::Analyst);

        let area = AreaRef { kind: AreaKind::Csp, code: "rutland".into() };
        about.subject = Subject::Area { area, boundary_year: 2025, category: None, source: None };
        let found = route(&about, &[Role::CspCoordinator], &geography(), &directory());
        assert_eq!((found.recipients.len(), found.gaps.len()), (1, 0));
        assert_eq!(found.recipients[0].address, "csp@rutland.invalid");
        assert_eq!(route(&about, &[Role::CspCoordinator], &geography(), &[]).recipients, []);
    }

    #[test]
    fn rule_files_name_roles_in_their_own_words() {
        assert_eq!(role_in_words("csp"), Some(Role::CspCoordinator));
        assert_eq!(role_in_words("neighbourhood team"), Some(Role::NptSergeant));
        assert_eq!(role_in_words("csp_chair"), Some(Role::CspChair));
        assert_eq!(role_in_words("the mayor"), None);
    }
}
