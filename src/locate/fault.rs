//! What can be wrong with the outlines of wards, in words.

/// What kind of fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// No outline at all.
    Empty,
    /// A coordinate that is not a finite number.
    NotANumber,
    /// A ring of fewer than three different corners.
    TooFewCorners,
    /// A ring without any area.
    NoArea,
    /// A hole that lies outside its outline.
    HoleOutside,
    /// A ring that crosses or touches itself, or two rings of a part that cross or share a line.
    Crossing,
    /// Two wards that share an area.
    Overlap,
    /// An area between wards that none of them holds.
    Gap,
}

/// A fault, with what is needed to find it.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// What kind of fault it is.
    pub kind: FaultKind,
    /// The codes of the wards it concerns.
    pub wards: Vec<String>,
    /// Where it is, in the units of the outline.
    pub at: Option<[f64; 2]>,
    /// How large it is, about, in square metres; for overlaps and gaps.
    pub square_metres: Option<f64>,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let wards = self.wards.join(", ");
        let size = self.square_metres.unwrap_or_default();
        match self.kind {
            FaultKind::Empty => write!(to, "Ward {wards} has no outline"),
            FaultKind::NotANumber => write!(to, "Ward {wards} has a coordinate that is not a number"),
            FaultKind::TooFewCorners => {
                write!(to, "Ward {wards} has a ring of fewer than three different corners")
            }
            FaultKind::NoArea => write!(to, "Ward {wards} has a ring without any area"),
            FaultKind::HoleOutside => write!(to, "Ward {wards} has a hole outside its outline"),
            FaultKind::Crossing => write!(to, "The outline of ward {wards} crosses or touches itself"),
            FaultKind::Overlap => write!(to, "The wards {wards} overlap by about {size:.0} square metres"),
            FaultKind::Gap => {
                write!(to, "There is a gap of about {size:.0} square metres between the wards {wards}")
            }
        }?;
        if let Some([x, y]) = self.at {
            write!(to, " near {x}, {y}")?;
        }
        write!(to, ".")
    }
}

impl Fault {
    pub(super) fn new(kind: FaultKind, wards: &[&str], at: Option<[f64; 2]>) -> Self {
        Self { kind, wards: wards.iter().map(|&code| code.to_owned()).collect(), at, square_metres: None }
    }
}
