//! The Thread-Index header: by it Outlook keeps the mails of one alert together where it does not look at References.
//!
//! Layout: MS-OXOMSG section 2.2.1.3 (`PidTagConversationIndex`). Made of the alert and of times that the messages carry
//! anyway, so that the same message has the same bytes.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A mail's place in the thread of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreadIndex {
    /// The alert.
    pub alert: Uuid,
    /// When the first mail of the thread was made.
    pub root: DateTime<Utc>,
    /// For a later mail: when it was made, and its number in the thread.
    pub later: Option<(DateTime<Utc>, i64)>,
}

/// Bits of a FILETIME that the header leaves out: it counts in units of 2^24 * 100 ns, about 1.7 s.
const HEADER_UNIT: u32 = 24;

impl ThreadIndex {
    /// As the header writes it: 22 bytes for the first mail and 5 more for a later one, in base64. A later mail answers
    /// the first, as its In-Reply-To says, so that one block is enough.
    #[must_use]
    pub fn header(&self) -> String {
        let root = filetime(self.root) >> HEADER_UNIT;
        // One reserved byte, then the 40 upper bits of the time.
        let mut bytes = vec![1];
        bytes.extend(&root.to_be_bytes()[3..]);
        // Every thread has its own; the id of the alert itself stays with us.
        bytes.extend(Uuid::new_v5(&self.alert, b"thread").into_bytes());
        if let Some((at, sequence)) = self.later {
            let since = filetime(at).saturating_sub(root << HEADER_UNIT);
            // 31 bits of the difference: in units of 2^18 * 100 ns (26 ms) up to 1.78 years, of 2^23 * 100 ns beyond.
            let delta = match since >> 18 {
                short if short < 1 << 31 => short as u32,
                _ => 1 << 31 | (since >> 23).min((1 << 31) - 1) as u32,
            };
            bytes.extend(delta.to_be_bytes());
            // Four bits to tell apart what was made at one time; the response level is 0.
            bytes.push((sequence.rem_euclid(16) as u8) << 4);
        }
        BASE64.encode(bytes)
    }
}

/// 100 ns since the beginning of 1601, to the second, as the Date header has it.
fn filetime(at: DateTime<Utc>) -> u64 {
    /// Seconds from 1601 to 1970.
    const BEFORE: i64 = 11_644_473_600;
    u64::try_from(at.timestamp() + BEFORE).unwrap_or(0).saturating_mul(10_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use proptest::prelude::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn bytes(index: ThreadIndex) -> Vec<u8> {
        BASE64.decode(index.header()).unwrap()
    }

    #[test]
    fn the_header_is_as_the_specification_writes_it() {
        let root = at("2026-06-30T04:30:00Z");
        let first = ThreadIndex { alert: Uuid::from_u128(1), root, later: None };
        let head = bytes(first);
        assert_eq!((head.len(), head[0]), (22, 1));
        assert!(
            first.header().starts_with("AQHd"),
            "as Outlook's own begin in this year: {}",
            first.header()
        );
        let stored = head[1..6].iter().fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
        assert_eq!(stored, filetime(root) >> 24);

        let later = ThreadIndex { later: Some((root + TimeDelta::days(2), 3)), ..first };
        let all = bytes(later);
        assert_eq!((all.len(), &all[..22]), (27, &head[..]));
        assert_eq!(all[26], 0x30);
    }

    proptest! {
        #[test]
        fn a_later_mail_reads_back_as_its_own_time_and_sorts_after_those_before(
            root in 0_i64..4_000_000_000, after in 0_i64..200_000_000, more in 1_i64..1_000_000, sequence in 0_i64..9,
        ) {
            let time = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
            let first = ThreadIndex { alert: Uuid::from_u128(7), root: time(root), later: None };
            let later = ThreadIndex { later: Some((time(root + after), sequence)), ..first };
            let last = ThreadIndex { later: Some((time(root + after + more), sequence + 1)), ..first };
            prop_assert_eq!(later.header(), later.header());
            let (head, block) = (bytes(first), bytes(later)[22..].to_vec());
            let stored = head[1..6].iter().fold(0_u64, |all, byte| all << 8 | u64::from(*byte)) << 24;
            let delta = u64::from(u32::from_be_bytes([block[0], block[1], block[2], block[3]]));
            let (unit, count) = if delta >> 31 == 1 { (23, delta & 0x7FFF_FFFF) } else { (18, delta) };
            let off = filetime(time(root + after)) - (stored + (count << unit));
            prop_assert!(off < 1 << unit, "read back to within one unit");
            prop_assert!(bytes(first) < bytes(later) && bytes(later) < bytes(last));
            let other = ThreadIndex { alert: Uuid::from_u128(8), ..first };
            prop_assert_ne!(bytes(other)[6..].to_vec(), head[6..].to_vec());
        }
    }
}
