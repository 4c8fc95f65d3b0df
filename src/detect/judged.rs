//! A count held against what is usual.

use super::Expectation;
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
    Judgement {
        area,
        categories,
        window,
        observed,
        expected: usual.mean(),
        p_upper: usual.upper_tail(observed),
        p_lower: (1.0 - usual.upper_tail(observed + 1)).clamp(0.0, 1.0),
    }
}
