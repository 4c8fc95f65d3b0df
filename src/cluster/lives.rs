//! The life of clusters from night to night: names that last, births, merges, splits and deaths.
//!
//! A cluster is the cluster of last night that it shares most incidents with. Late reports may put an older incident in
//! front of its first, or join two clusters, and it is still the one that people know by its name.

use crate::model::Cluster;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// A cluster as a night left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Life {
    /// Its lasting name.
    pub name: Uuid,
    /// The night it was first alive.
    pub born: NaiveDate,
    /// Its rule has held for it on some night: people may know it by its name.
    pub held: bool,
    /// Its incidents.
    pub members: Vec<Uuid>,
}

/// What happened to a cluster in a night.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// It is new.
    Born(Uuid),
    /// One has become part of another, which keeps its name.
    Merged {
        /// The one that is no more.
        one: Uuid,
        /// The one it is part of now.
        into: Uuid,
    },
    /// A part of one has become a cluster of its own, under a name of its own.
    Split {
        /// The one that went on with most of its incidents.
        from: Uuid,
        /// The new one.
        new: Uuid,
    },
    /// Nothing has happened there for the days of its reach.
    Died(Uuid),
}

/// All clusters of a rule after a night.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lives {
    /// Those alive, in the order in which the night found them.
    pub alive: Vec<Life>,
    /// What changed.
    pub turns: Vec<Turn>,
}

impl Lives {
    /// Takes the clusters that a night found, and names them after those of the night before; `holds` says for which of
    /// them the rule holds.
    ///
    /// Where several clusters have become one, the name is that of the one for which the rule has held, and among those
    /// of the one born first; where one has become several, the part with most of its incidents keeps it.
    #[must_use]
    pub fn next(&self, found: &[Cluster], night: NaiveDate, holds: impl Fn(&Cluster) -> bool) -> Self {
        let mut at: BTreeMap<Uuid, usize> = BTreeMap::new();
        for (place, cluster) in found.iter().enumerate() {
            at.extend(cluster.members.iter().map(|member| (*member, place)));
        }
        let mut before: Vec<&Life> = self.alive.iter().collect();
        before.sort_by_key(|life| (!life.held, life.born, life.name));
        let mut names: Vec<Option<&Life>> = vec![None; found.len()];
        let mut parts: Vec<Option<Uuid>> = vec![None; found.len()];
        let mut turns = Vec::new();
        for life in before {
            let mut shared: BTreeMap<usize, usize> = BTreeMap::new();
            for place in life.members.iter().filter_map(|member| at.get(member)) {
                *shared.entry(*place).or_default() += 1;
            }
            let most = shared.iter().max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0)));
            let Some((&home, _)) = most else {
                turns.push(Turn::Died(life.name));
                continue;
            };
            match names[home] {
                Some(elder) => turns.push(Turn::Merged { one: life.name, into: elder.name }),
                None => names[home] = Some(life),
            }
            for &place in shared.keys().filter(|place| **place != home) {
                parts[place].get_or_insert(life.name);
            }
        }
        let mut taken: BTreeSet<Uuid> = self.alive.iter().map(|life| life.name).collect();
        let mut alive = Vec::with_capacity(found.len());
        for (place, cluster) in found.iter().enumerate() {
            let (members, held) = (cluster.members.clone(), holds(cluster));
            if let Some(life) = names[place] {
                let held = held || life.held;
                alive.push(Life { name: life.name, born: life.born, held, members });
                continue;
            }
            // Its oldest core incident, unless that is the name of another, as of the one it was once part of.
            let own = [cluster.name].into_iter().chain(cluster.members.iter().copied());
            let made = || Uuid::new_v5(&cluster.name, night.to_string().as_bytes());
            let name = own.into_iter().find(|name| !taken.contains(name)).unwrap_or_else(made);
            taken.insert(name);
            turns.push(match parts[place] {
                Some(from) => Turn::Split { from, new: name },
                None => Turn::Born(name),
            });
            alive.push(Life { name, born: night, held, members });
        }
        Self { alive, turns }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CategorySet, Recurrence, Window};
    use proptest::prelude::*;

    fn night(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 6, day).unwrap()
    }

    fn id(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    fn cluster(members: &[u128]) -> Cluster {
        Cluster {
            members: members.iter().map(|n| id(*n)).collect(),
            part: Vec::new(),
            name: id(members[0]),
            wards: Vec::new(),
            categories: CategorySet::EMPTY,
            window: Window { first: night(1), last: night(1) },
            centre: (0.0, 0.0),
            radius: 0.0,
            expected: 0.0,
            recurrence: Recurrence::from_daily_rate(1.0),
            change: crate::model::Change::New,
        }
    }

    fn after(nights: &[&[&[u128]]]) -> Lives {
        let mut lives = Lives::default();
        for (day, found) in (1..).zip(nights) {
            let found: Vec<Cluster> = found.iter().map(|members| cluster(members)).collect();
            lives = lives.next(&found, night(day), |one| one.members.contains(&id(1)));
        }
        lives
    }

    #[test]
    fn a_late_report_in_front_does_not_change_the_name() {
        let lives = after(&[&[&[2, 3, 4]], &[&[1, 2, 3, 4, 5]]]);
        assert_eq!((lives.alive[0].name, lives.alive[0].born), (id(2), night(1)));
        assert_eq!(lives.turns, []);
    }

    #[test]
    fn clusters_merge_into_the_elder_and_split_from_the_greater_part() {
        let merged = after(&[&[&[7, 8, 9]], &[&[2, 3, 4], &[7, 8, 9]], &[&[2, 3, 4, 7, 8, 9]]]);
        assert_eq!(merged.alive[0].name, id(7), "it was born first");
        assert_eq!(merged.turns, [Turn::Merged { one: id(2), into: id(7) }]);
        // The rule holds for the cluster of incident 1, which was born later: people know that one.
        let held = after(&[&[&[7, 8, 9]], &[&[1, 2, 3], &[7, 8, 9]], &[&[1, 2, 3, 7, 8, 9]]]);
        assert_eq!(held.alive[0].name, id(1));
        assert_eq!(held.turns, [Turn::Merged { one: id(7), into: id(1) }]);

        let split = after(&[&[&[1, 2, 3, 4, 5, 6, 7]], &[&[1, 2, 3], &[4, 5, 6, 7]]]);
        assert_eq!(split.alive.iter().map(|life| life.name).collect::<Vec<_>>(), [id(2), id(1)]);
        assert_eq!(split.turns, [Turn::Split { from: id(1), new: id(2) }], "1 is the greater part's name");
    }

    #[test]
    fn a_cluster_dies_and_another_is_born() {
        let lives = after(&[&[&[1, 2, 3]], &[&[4, 5, 6]]]);
        assert_eq!(lives.turns, [Turn::Died(id(1)), Turn::Born(id(4))]);
    }

    proptest! {
        #[test]
        fn names_are_unique_and_every_cluster_of_before_is_accounted_for(
            nights in prop::collection::vec(prop::collection::vec(0_usize..6, 30), 1..6),
        ) {
            let mut lives = Lives::default();
            for (day, labels) in (1..).zip(&nights) {
                let of = |label: usize| (0..30_u128).filter(move |n| labels[*n as usize] == label).collect::<Vec<_>>();
                let found: Vec<Cluster> = (1..6).map(of).filter(|one| !one.is_empty()).map(|one| cluster(&one)).collect();
                let next = lives.next(&found, night(day), |one| one.members.len() > 5);
                let names: BTreeSet<Uuid> = next.alive.iter().map(|life| life.name).collect();
                prop_assert_eq!(names.len(), found.len());
                for life in &lives.alive {
                    let ended = next.turns.iter().any(|turn| matches!(turn,
                        Turn::Merged { one, .. } | Turn::Died(one) if *one == life.name));
                    prop_assert_ne!(ended, names.contains(&life.name));
                }
                lives = next;
            }
        }
    }
}
