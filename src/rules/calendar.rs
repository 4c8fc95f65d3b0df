//! Events, campaigns and changes in recording: known in advance, and no tension by themselves.

use super::rule::lies_in;
use crate::model::{AreaRef, CategorySet, Geography, Window};

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// Something that happens, as a festival or a match.
    Event,
    /// A campaign that asks people to report.
    Campaign,
    /// A change in how incidents are recorded.
    RecordingChange,
}

/// Where an event is.
#[derive(Debug, Clone, PartialEq)]
pub enum Where {
    /// In the whole county.
    Everywhere,
    /// In these areas.
    Areas(Vec<AreaRef>),
    /// Around a point on the grid, in metres.
    Around {
        /// Metres east.
        easting: f64,
        /// Metres north.
        northing: f64,
        /// How far.
        metres: f64,
    },
}

impl Where {
    /// Whether a ward lies in it; never for a circle, which knows points only.
    #[must_use]
    pub fn holds_ward(&self, ward: &str, geography: &Geography) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Areas(areas) => areas.iter().any(|area| lies_in(ward, area, geography)),
            Self::Around { .. } => false,
        }
    }
}

/// An entry of the calendar.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What rules call it; the same name may come again in another year.
    pub name: String,
    /// What it is.
    pub kind: EventKind,
    /// When.
    pub window: Window,
    /// Where.
    pub place: Where,
    /// Which categories it bears on.
    pub categories: CategorySet,
    /// The channels of a campaign.
    pub channels: Vec<String>,
}

impl Event {
    /// Whether it names a channel; capitals and spaces around it don't matter.
    #[must_use]
    pub fn has_channel(&self, channel: &str) -> bool {
        self.channels.iter().any(|own| own.trim().to_lowercase() == channel.trim().to_lowercase())
    }
}

/// What really happened, to try rules against.
#[derive(Debug, Clone, PartialEq)]
pub struct Episode {
    /// What people call it.
    pub name: String,
    /// From the first day with anything to see to the last.
    pub window: Window,
    /// The day everybody knew.
    pub peak: chrono::NaiveDate,
    /// Where; empty is the whole county.
    pub areas: Vec<AreaRef>,
    /// Which categories.
    pub categories: CategorySet,
}

/// All events and episodes of a folder.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Calendar {
    /// Events, campaigns and changes in recording, by first day.
    pub events: Vec<Event>,
    /// Labelled episodes, by first day.
    pub episodes: Vec<Episode>,
}

impl Calendar {
    /// The events of a name.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Event> {
        self.events.iter().filter(move |event| event.name == name)
    }
}
