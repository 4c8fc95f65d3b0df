//! The store, on SQLite and PostgreSQL alike: what is written is read back, versions are seen as known on a date, and
//! nothing is handed out twice.

use crate::support::{at, day, stores};
use chrono::{DateTime, Duration, Utc};
use sqlx::{Executor, SqlStr};
use tension_watch::{
    count::SeenIncident,
    model::{
        Alert, AlertLevel, AlertState, Area, AreaKind, AreaRef, Bounds, Categories, CategorySet, Class,
        Finding, Incident, Mailbox, Pack, Place, Precision, Projection, Recurrence, Role, Status, Subject,
        Window,
    },
    store::{
        Account, AlertEvent, Counted, ImportRecord, Known, LinkedEvent, MessageKind, NewVersion,
        OutboxMessage, Run, RunOutcome, SavedReject, SavedRules, SavedSession, Store, WardShape,
    },
};
use uuid::Uuid;

#[tokio::test]
async fn every_statement_is_understood_by_both_databases() {
    let stores = stores().await;
    for (database, store) in &stores.each {
        let mut prepared = 0;
        for (name, text) in Store::statements() {
            let text = SqlStr::from_static(text);
            let outcome = match store {
                Store::Sqlite(pool, ..) => pool.acquire().await.unwrap().prepare(text).await.map(|_| ()),
                Store::Postgres(pool, ..) => pool.acquire().await.unwrap().prepare(text).await.map(|_| ()),
            };
            outcome.unwrap_or_else(|e| panic!("{name} on {database}: {e}"));
            prepared += 1;
        }
        assert!(prepared > 40, "only {prepared} statements: is a file missing from Store::statements?");
    }
}

#[tokio::test]
async fn no_statement_holds_the_server_up_for_ever() {
    for (database, store) in &stores().await.each {
        if let Store::Postgres(pool, ..) = store {
            let limit: String = sqlx::query_scalar("show statement_timeout").fetch_one(pool).await.unwrap();
            assert_eq!(limit, "5min", "{database}");
        }
    }
}

fn pack() -> Pack {
    Pack {
        name: "A county".into(),
        prefix: "AC".into(),
        zone: chrono_tz::Europe::London,
        projection: Projection::BritishNationalGrid,
        bounds: Bounds { west: -2.0, south: 52.0, east: 0.0, north: 53.0 },
        categories: Categories::new(["race", "religion"]).unwrap(),
        category_labels: vec!["Race".into(), "Religion".into()],
        category_word: "strand".into(),
        classes: vec![Class { code: "crime".into(), label: "Crime".into(), from: None, to: None }],
        holidays: Vec::new(),
        publish: tension_watch::model::Terms::default(),
        reporting: Vec::new(),
    }
}

#[tokio::test]
async fn a_county_is_kept_as_data() {
    for (database, store) in &stores().await.each {
        assert_eq!(store.pack().await.unwrap(), None);
        let ward = Area {
            kind: AreaKind::Ward,
            code: "W1".into(),
            name: "Mill".into(),
            boundary_year: 2025,
            valid_from: day("2025-05-01"),
            valid_to: None,
            population: Some(8_000),
            workday_population: Some(20_000),
        };
        let before = Area {
            boundary_year: 2019,
            valid_from: day("2019-05-01"),
            valid_to: Some(day("2025-05-01")),
            ..ward.clone()
        };
        let shape = |year: i64| WardShape {
            ward: "W1".into(),
            boundary_year: year,
            in_metres: false,
            shape: serde_json::json!({"type": "Polygon", "coordinates": [[[0.0, 0.0]]]}),
        };
        let mailboxes = vec![
            Mailbox {
                role: Role::CspCoordinator,
                area: Some(AreaRef { kind: AreaKind::Csp, code: "mill".into() }),
                address: "csp@mill.invalid".into(),
                active: true,
                mute: None,
            },
            Mailbox {
                role: Role::HateLead,
                area: None,
                address: "lead@police.invalid".into(),
                active: false,
                mute: Some("18:00-08:00 and weekends".parse().unwrap()),
            },
        ];
        let links = vec![("W1".to_owned(), AreaKind::Csp, "mill".to_owned())];
        for _ in 0..2 {
            let mut tx = store.begin().await.unwrap();
            tx.save_pack(&pack(), at("2026-06-30T00:00:00Z")).await.unwrap();
            for area in [&ward, &before] {
                tx.save_area(area).await.unwrap();
            }
            tx.replace_area_links(&links).await.unwrap();
            tx.save_ward_shape(&shape(2025)).await.unwrap();
            tx.save_ward_shape(&shape(2019)).await.unwrap();
            tx.replace_directory(&mailboxes).await.unwrap();
            tx.commit().await.unwrap();
        }
        assert_eq!(store.pack().await.unwrap(), Some(pack()), "{database}");
        assert_eq!(store.areas().await.unwrap(), [before, ward], "{database}");
        assert_eq!(store.area_links().await.unwrap(), links);
        assert_eq!(store.directory().await.unwrap(), mailboxes);
        assert_eq!(store.ward_shapes(day("2022-08-28")).await.unwrap(), [shape(2019)]);
        assert_eq!(store.ward_shapes(day("2026-06-30")).await.unwrap(), [shape(2025)]);
    }
}

fn incident(reference: u128, known_at: &str, status: Status) -> Incident {
    Incident {
        id: Uuid::from_u128(reference),
        source: "police".into(),
        reference: reference.to_string(),
        known_at: at(known_at),
        class: "crime".into(),
        status,
        categories: Categories::new(["race", "religion"]).unwrap().find("religion").unwrap(),
        occurred_from: at("2026-06-01T12:00:00Z"),
        occurred_to: at("2026-06-01T12:30:00Z"),
        recorded_at: None,
        place: Some(Place { lon: -1.13, lat: 52.63, easting: 458_900.25, northing: 304_500.5 }),
        precision: Precision::Street,
        ward: Some("W1".into()),
        channel: Some("999".into()),
        offence: None,
        repeat_key: None,
    }
}

async fn import(store: &Store, incidents: &[Incident]) -> Uuid {
    let record = ImportRecord {
        id: Uuid::now_v7(),
        source: "police".into(),
        file_name: "june.csv".into(),
        header: vec!["reference".into()],
        sha256: "00".into(),
        imported_at: at("2026-06-30T00:00:00Z"),
        row_count: incidents.len() as i64,
        added: incidents.len() as i64,
        changed: 0,
        unchanged: 0,
        rejected: 0,
        known_from: incidents.iter().map(|incident| incident.known_at).min(),
    };
    let versions: Vec<NewVersion<'_>> = incidents
        .iter()
        .map(|incident| NewVersion { incident, content: format!("{:?}", incident.status) })
        .collect();
    let mut tx = store.begin().await.unwrap();
    tx.add_import(&record).await.unwrap();
    tx.add_versions(record.id, &versions).await.unwrap();
    tx.commit().await.unwrap();
    record.id
}

/// As much of an incident as analysis is told, to the precision it is kept with.
#[derive(Debug, PartialEq)]
struct Told {
    id: Uuid,
    known_at: DateTime<Utc>,
    source: String,
    class: String,
    ward: Option<String>,
    occurred: (DateTime<Utc>, DateTime<Utc>),
    metres: Option<(f64, f64)>,
    categories: CategorySet,
}

impl From<SeenIncident<'_>> for Told {
    fn from(seen: SeenIncident<'_>) -> Self {
        Self {
            id: seen.id(),
            known_at: seen.known_at(),
            source: seen.source().into(),
            class: seen.class().into(),
            ward: seen.ward().map(Into::into),
            occurred: seen.occurred(),
            metres: seen.metres(),
            categories: seen.categories(),
        }
    }
}

fn told(incident: &Incident) -> Told {
    Told {
        id: incident.id,
        known_at: incident.known_at,
        source: incident.source.clone(),
        class: incident.class.clone(),
        ward: incident.ward.clone(),
        occurred: (incident.occurred_from, incident.occurred_to),
        metres: incident.place.map(|at| (at.easting, at.northing)),
        categories: incident.categories,
    }
}

#[tokio::test]
async fn a_past_night_sees_only_what_was_known_then() {
    for (database, store) in &stores().await.each {
        let first = incident(1, "2026-06-02T05:00:00Z", Status::Pending);
        let second = incident(1, "2026-06-09T05:00:00Z", Status::Withdrawn);
        let other = incident(2, "2026-06-02T05:00:00Z", Status::Confirmed);
        import(store, &[first.clone(), second.clone(), other.clone()]).await;
        let known = Known::default();
        let seen = async |instant: DateTime<Utc>| {
            let found: Vec<_> =
                known.as_known(store, instant).await.unwrap().iter().map(Told::from).collect();
            let anew = store.incidents_as_known(instant).await.unwrap();
            assert_eq!(found, anew.iter().map(Told::from).collect::<Vec<_>>(), "kept or read anew");
            found
        };
        // The same instant is not before itself: a night sees what was known before it began.
        assert_eq!(seen(at("2026-06-02T05:00:00Z")).await, []);
        assert_eq!(seen(at("2026-06-03T00:00:00Z")).await, [told(&first), told(&other)], "{database}");
        assert_eq!(seen(at("2026-06-10T00:00:00Z")).await, [told(&other)], "{database}");
        assert_eq!(known.archive(store).await.unwrap().len(), 3);
        let versions = store.known_versions(&[first.id]).await.unwrap();
        assert_eq!(
            versions.iter().map(|one| one.known_at).collect::<Vec<_>>(),
            [first.known_at, second.known_at]
        );
        // What an import adds is put beside what is kept.
        let third = incident(3, "2026-06-02T05:00:00Z", Status::Confirmed);
        import(store, std::slice::from_ref(&third)).await;
        assert_eq!(
            seen(at("2026-06-03T00:00:00Z")).await,
            [told(&first), told(&other), told(&third)],
            "{database}"
        );
        assert_eq!(
            store.last_known(at("2026-06-05T00:00:00Z")).await.unwrap(),
            Some(at("2026-06-02T05:00:00Z"))
        );

        // Two reports of one event are counted once, until somebody says that they are two.
        let link = LinkedEvent {
            also: other.id,
            kept: first.id,
            reason: "120 m and 1 day apart".into(),
            linked_at: at("2026-06-04T00:00:00Z"),
            undone_at: None,
        };
        let mut tx = store.begin().await.unwrap();
        tx.link_same_event(&link).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(seen(at("2026-06-05T00:00:00Z")).await, [told(&first), told(&third)]);
        let mut tx = store.begin().await.unwrap();
        assert!(tx.undo_same_event(other.id, at("2026-06-06T00:00:00Z")).await.unwrap());
        tx.link_same_event(&link).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(seen(at("2026-06-07T00:00:00Z")).await, [told(&first), told(&other), told(&third)]);
        assert_eq!(seen(at("2026-06-05T00:00:00Z")).await, [told(&first), told(&third)]);
        assert_eq!(store.same_events().await.unwrap()[0].undone_at, Some(at("2026-06-06T00:00:00Z")));
    }
}

#[tokio::test]
async fn rejected_rows_are_kept_in_the_order_of_the_file() {
    for (_, store) in &stores().await.each {
        let id = import(store, &[]).await;
        let rejects: Vec<SavedReject> = (0..1_200)
            .map(|line| SavedReject { line: line + 2, body: serde_json::json!({"reason": "no date"}) })
            .collect();
        let mut tx = store.begin().await.unwrap();
        tx.add_rejects(id, &rejects).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(store.rejects(id).await.unwrap(), rejects);
        assert_eq!(store.imports().await.unwrap().len(), 1);
    }
}

fn alert(number: &str, state: AlertState) -> Alert {
    let finding = Finding {
        rule: "race-week-spike".into(),
        rule_version: "1a2b".into(),
        title: "Racist incidents well above usual".into(),
        level: AlertLevel::Elevated,
        subject: Subject::Area {
            area: AreaRef { kind: AreaKind::Ward, code: "W1".into() },
            boundary_year: 2025,
            category: None,
            source: None,
        },
        wards: vec!["W1".into()],
        categories: vec!["race".into()],
        window: Window::ending(day("2026-06-29"), 7),
        observed: 9,
        expected: 2.1,
        usual_range: Some((0, 5)),
        times_usual: None,
        change: None,
        signal: tension_watch::model::SignalKind::Spike,
        share: None,
        calendar: Vec::new(),
        without_calendar: None,
        recurrence: Recurrence::from_daily_rate(1.0 / 140.0),
        members: vec![Uuid::from_u128(1)],
    };
    Alert {
        id: Uuid::now_v7(),
        number: number.into(),
        identity: finding.identity(),
        state,
        opened: day("2026-06-29"),
        night: day("2026-06-29"),
        latest: finding,
        told: None,
        quiet_nights: 0,
        sequence: 0,
        changed_at: at("2026-06-30T04:30:00Z"),
        held_nights: 1,
        untold: None,
        asked: Vec::new(),
        acknowledged: Vec::new(),
        follow_up_days: None,
        closing: None,
        expected_event: None,
    }
}

#[tokio::test]
async fn one_identity_has_one_living_alert_and_numbers_leave_no_gap() {
    for (database, store) in &stores().await.each {
        let night = day("2026-06-29");
        let mut tx = store.begin().await.unwrap();
        assert_eq!(tx.next_alert_number(2026).await.unwrap(), 1);
        drop(tx);
        let mut tx = store.begin().await.unwrap();
        assert_eq!(tx.next_alert_number(2026).await.unwrap(), 1, "a number that was not kept is given again");
        assert_eq!(tx.next_alert_number(2026).await.unwrap(), 2);
        assert_eq!(tx.next_alert_number(2027).await.unwrap(), 1);
        let mut first = alert("AC-2026-0001", AlertState::Open);
        tx.save_alert(&first, night).await.unwrap();
        let event = AlertEvent {
            at: first.changed_at,
            what: "opened".into(),
            who: "engine".into(),
            why: String::new(),
        };
        tx.add_alert_event(Uuid::now_v7(), first.id, &event).await.unwrap();
        tx.commit().await.unwrap();

        let mut tx = store.begin().await.unwrap();
        let twin = alert("AC-2026-0002", AlertState::Open);
        assert!(tx.save_alert(&twin, night).await.is_err(), "{database}: a second living alert");
        drop(tx);
        first.state = AlertState::Closed;
        let mut tx = store.begin().await.unwrap();
        tx.save_alert(&first, night).await.unwrap();
        tx.save_alert(&twin, night).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(store.alert("AC-2026-0001").await.unwrap(), Some(first.clone()), "{database}");
        assert_eq!(store.alerts_since(day("2026-06-30")).await.unwrap(), std::slice::from_ref(&twin));
        assert_eq!(store.alerts_since(night).await.unwrap(), [first.clone(), twin]);
        assert_eq!(store.alert_events(first.id).await.unwrap(), [event]);
    }
}

#[tokio::test]
async fn a_message_is_handed_to_one_sender_only() {
    for (database, store) in &stores().await.each {
        let alert = alert("AC-2026-0001", AlertState::Open);
        let now = at("2026-06-30T04:30:00Z");
        let mut tx = store.begin().await.unwrap();
        tx.save_alert(&alert, day("2026-06-29")).await.unwrap();
        for n in 0..40 {
            let message = OutboxMessage {
                id: Uuid::now_v7(),
                kind: MessageKind::Alert,
                about: alert.id,
                mailbox: format!("csp{n}@mill.invalid"),
                sequence: 0,
                priority: 1,
                message_id: format!("<{n}@mill.invalid>"),
                message: "Subject: x\r\n\r\ny\r\n".into(),
                created_at: now,
                due: now,
                held: false,
            };
            tx.add_message(&message).await.unwrap();
            // The same alert, mailbox and sequence a second time changes nothing.
            tx.add_message(&OutboxMessage { id: Uuid::now_v7(), ..message }).await.unwrap();
        }
        tx.commit().await.unwrap();

        let senders = (0..8).map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut mine = Vec::new();
                loop {
                    let got = store.claim_messages(now, now + Duration::minutes(5), 3).await.unwrap();
                    if got.is_empty() {
                        return mine;
                    }
                    mine.extend(got);
                }
            })
        });
        let mut claimed = Vec::new();
        for sender in senders.collect::<Vec<_>>() {
            claimed.extend(sender.await.unwrap());
        }
        assert_eq!(claimed.len(), 40, "{database}");
        assert!(claimed.iter().all(|message| message.attempts == 1 && message.message.contains("\r\n\r\n")));
        claimed.sort_by(|a, b| a.mailbox.cmp(&b.mailbox));
        claimed.dedup_by(|a, b| a.mailbox == b.mailbox);
        assert_eq!(claimed.len(), 40, "{database}");

        // A sender that vanished loses its claim; one that was told to wait is not asked before its time.
        let later = now + Duration::minutes(6);
        let mut tx = store.begin().await.unwrap();
        for message in &claimed[..38] {
            tx.message_sent(message, now).await.unwrap();
        }
        tx.message_later(&claimed[38], later + Duration::hours(1), "451 try later", false).await.unwrap();
        tx.commit().await.unwrap();
        let again = store.claim_messages(later, later + Duration::minutes(5), 50).await.unwrap();
        assert_eq!(again.len(), 1, "{database}");
        assert_eq!(again[0].mailbox, claimed[39].mailbox);
        assert_eq!(again[0].attempts, 2);
        let mut tx = store.begin().await.unwrap();
        assert!(again[0].maybe_arrived, "{database}: its sender may have sent it");
        assert!(
            !tx.message_sent(&claimed[39], later).await.unwrap(),
            "{database}: a result that comes too late"
        );
        assert!(tx.message_failed(&again[0], later, "550 no such mailbox", false).await.unwrap());
        assert_eq!(
            tx.thread_root(alert.id, &claimed[0].mailbox).await.unwrap().map(|root| root.message_id),
            Some(claimed[0].message_id.clone())
        );
        tx.commit().await.unwrap();
        let counts = store.outbox_counts().await.unwrap();
        let counts: Vec<_> = counts.iter().map(|count| (count.state.code(), count.messages)).collect();
        assert_eq!(counts, [("failed", 1), ("sent", 38), ("waiting", 1)], "{database}");
    }
}

#[tokio::test]
async fn a_tick_of_the_schedule_has_one_run() {
    for (database, store) in &stores().await.each {
        let run = |tick: Option<&str>| Run {
            id: Uuid::now_v7(),
            night: day("2026-06-29"),
            tick: tick.map(at),
            as_known_on: at("2026-06-29T23:00:00Z"),
            started_at: at("2026-06-30T04:30:00Z"),
            finished_at: None,
            outcome: RunOutcome::Running,
            rules_version: "1a2b".into(),
            summary: serde_json::json!({}),
        };
        let tick = Some("2026-06-30T04:30:00Z");
        let mut first = run(tick);
        let mut tx = store.begin().await.unwrap();
        assert!(tx.begin_run(&first).await.unwrap());
        assert!(!tx.begin_run(&run(tick)).await.unwrap(), "{database}: the tick has its run");
        assert!(tx.begin_run(&run(None)).await.unwrap());
        first.outcome = RunOutcome::Done;
        first.finished_at = Some(at("2026-06-30T04:30:01Z"));
        let finding = alert("AC-2026-0001", AlertState::Open).latest;
        tx.finish_run(&first, std::slice::from_ref(&finding)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(store.last_run().await.unwrap(), Some(first.clone()));
        assert_eq!(store.findings(first.id).await.unwrap(), [finding]);
        assert_eq!(store.last_tick().await.unwrap(), first.tick);

        // A run that failed, or never ended, gives its tick back.
        let next = Some("2026-07-01T04:30:00Z");
        let failing = run(next);
        let mut tx = store.begin().await.unwrap();
        assert!(tx.begin_run(&failing).await.unwrap());
        tx.fail_run(failing.id, at("2026-07-01T04:31:00Z"), &serde_json::json!({"error": "x"}))
            .await
            .unwrap();
        assert!(tx.begin_run(&run(next)).await.unwrap());
        assert_eq!(tx.abandon_runs(at("2026-07-01T05:00:00Z")).await.unwrap(), 2);
        assert!(tx.begin_run(&run(next)).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(store.runs(10).await.unwrap().len(), 5);
    }
}

#[tokio::test]
async fn accounts_sessions_and_rules() {
    for (database, store) in &stores().await.each {
        let now = at("2026-06-30T04:30:00Z");
        let account = Account {
            name: "csp-mill".into(),
            role: Role::CspCoordinator,
            area: Some(AreaRef { kind: AreaKind::Csp, code: "mill".into() }),
            password_hash: "$argon2id$".into(),
            created_at: now,
        };
        store.save_account(&account).await.unwrap();
        assert_eq!(store.account("csp-mill").await.unwrap(), Some(account));
        assert_eq!(store.account("nobody").await.unwrap(), None);

        let hour = Duration::hours(1);
        let session = SavedSession {
            id: "k".into(),
            account: "csp-mill".into(),
            body: serde_json::json!({"account": "csp-mill"}),
            started_at: now,
            seen_at: now,
        };
        let before = now - hour;
        assert!(store.new_session(&session).await.unwrap());
        assert!(!store.new_session(&session).await.unwrap());
        assert_eq!(store.session("k", before, before).await.unwrap(), Some(session.clone()));
        store.session_seen("k", now + hour).await.unwrap();
        assert!(store.session("k", now, before).await.unwrap().is_some(), "{database}: seen since");
        assert_eq!(store.session("k", now + hour, before).await.unwrap(), None, "{database}: idle");
        assert_eq!(store.session("k", now, now).await.unwrap(), None, "{database}: too old");
        assert_eq!(store.delete_old_sessions(before, before).await.unwrap(), 0);
        assert_eq!(store.delete_old_sessions(before, now).await.unwrap(), 1);
        store.save_session("k", "csp-mill", &session.body).await.unwrap();
        assert_eq!(store.session("k", before, before).await.unwrap(), None, "{database}: it came back");
        assert!(store.new_session(&session).await.unwrap());
        store.save_account(store.account("csp-mill").await.unwrap().as_ref().unwrap()).await.unwrap();
        assert_eq!(
            store.session("k", before, before).await.unwrap(),
            None,
            "{database}: its account changed"
        );
        assert_eq!(store.accounts().await.unwrap().len(), 1);
        assert!(store.delete_account("csp-mill").await.unwrap());
        assert!(!store.delete_account("csp-mill").await.unwrap());

        let counted = [Counted { who: "client:1", most: 5 }, Counted { who: "account:a", most: 3 }];
        let mut may = Vec::new();
        for _ in 0..4 {
            may.push(store.may_try(&counted, now, now - hour).await.unwrap());
        }
        assert_eq!(may, [true, true, true, false], "{database}");
        let client = [Counted { who: "client:1", most: 5 }];
        assert!(store.may_try(&client, now, now - hour).await.unwrap());
        assert!(!store.may_try(&client, now, now - hour).await.unwrap());
        store.has_signed_in("account:a", "client:1").await.unwrap();
        assert!(!store.may_try(&client, now, now - hour).await.unwrap(), "{database}: one less, not none");
        assert!(store.may_try(&counted[1..], now, now - hour).await.unwrap());
        assert!(store.may_try(&counted, now + hour * 2, now + hour).await.unwrap(), "{database}: forgotten");

        let rules = |version: &str, accepted_at| SavedRules {
            version: version.into(),
            files: [("a.toml".to_owned(), "id = \"a\"".to_owned())].into(),
            accepted_at,
        };
        let mut tx = store.begin().await.unwrap();
        tx.accept_rules(&rules("1", now)).await.unwrap();
        tx.accept_rules(&rules("2", now + hour)).await.unwrap();
        tx.accept_rules(&rules("1", now + hour + hour)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(store.last_rules().await.unwrap().unwrap().version, "1");
    }
}

#[tokio::test]
async fn a_database_of_every_earlier_schema_is_brought_up_to_date() {
    let server = crate::support::postgres::Postgres::start();
    let folder = tempfile::tempdir().unwrap();
    let migrations = sqlx::migrate!("./migrations");
    let all: Vec<_> = migrations.iter().cloned().collect();
    for first in 1..all.len() {
        let earlier = sqlx::migrate::Migrator {
            migrations: all[..first].to_vec().into(),
            ..sqlx::migrate::Migrator::DEFAULT
        };
        let name = format!("schema{first}");
        server.query(&format!("CREATE DATABASE {name}"));
        let sqlite = format!("sqlite:{}?mode=rwc", folder.path().join(&name).display());
        let old = sqlx::SqlitePool::connect(&sqlite).await.unwrap();
        earlier.run(&old).await.unwrap();
        old.close().await;
        let postgres = server.address().replace("/postgres", &format!("/{name}"));
        let old = sqlx::PgPool::connect(&postgres).await.unwrap();
        earlier.run(&old).await.unwrap();
        old.close().await;
        for address in [&sqlite, &postgres] {
            let store = Store::open(address).await.unwrap_or_else(|failed| panic!("{address}: {failed}"));
            assert_eq!(store.contents().await.unwrap().incidents, 0, "{address}");
            let seen = store.leader().await.unwrap();
            assert!(store.take_lead(&seen, "a").await.unwrap().is_some(), "{address}");
            store.close().await;
        }
    }
}
