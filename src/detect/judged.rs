//! A count held against what is usual.

use super::{Expectation, times_usual};
use crate::model::{AreaRef, CategorySet, Judgement, Window};

/// A count against what is usual.
#[must_use]
pub fn judgement(
    area: AreaRef,
    categories: CategorySet,
    window: Window,
    observed: u64,
    usual: Expectation,
) -> Judgement {
    let p_upper = usual.upper_tail(observed);
    // The least count that is not below the central 95 %.
    let low =
        (0..=observed.max(1 << 20)).find(|count| 1.0 - usual.upper_tail(count + 1) > 0.025).unwrap_or(0);
    let high = usual.least_count_as_rare_as(0.025).saturating_sub(1).max(low);
    Judgement {
        area,
        categories,
        window,
        observed,
        expected: usual.mean(),
        usual_range: (low, high),
        times_usual: times_usual(observed, usual),
        p_upper,
        p_lower: (1.0 - usual.upper_tail(observed + 1)).clamp(0.0, 1.0),
    }
}
