//! Who is reading, and what they may see.

use super::{
    Site,
    error::PageError,
    oidc::{Provider, is_vouched_for},
};
use crate::{
    model::{AreaKind, AreaRef, Geography, Party, Role},
    stages::letters::hash_of,
    store::Account,
};
use axum::{extract::FromRequestParts, http::request::Parts};
use std::{collections::BTreeSet, sync::Arc};
use tower_sessions::Session;

/// The key of the account's name in a session.
pub(super) const ACCOUNT: &str = "account";
/// The key of the token that forms carry.
pub(super) const TOKEN: &str = "token";

/// The key of the account as it was when its owner signed in.
pub(super) const MARK: &str = "mark";

/// Changes whenever role, area or password of an account do: a session is good for the account it began with.
pub(super) fn mark(account: &Account) -> String {
    let area = account.area.as_ref().map(|area| (area.kind.code(), area.code.as_str()));
    hash_of(&format!("{}|{area:?}|{}", account.role.code(), account.password_hash))
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) area: Option<AreaRef>,
    /// What forms of this session must carry.
    pub(super) token: String,
}

/// Which wards a reader may see exactly.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sight {
    /// All of them.
    Everything,
    /// Those of their own area.
    Wards(BTreeSet<String>),
    /// None: published figures only.
    Published,
}

impl Reader {
    /// What the role and area of the reader let them see.
    pub(super) fn sight(&self, geography: &Geography) -> Sight {
        match (self.role, &self.area) {
            (Role::HateLead | Role::Analyst | Role::Auditor, _) => Sight::Everything,
            (Role::CspCoordinator | Role::CspChair | Role::NptSergeant | Role::NpaCommander, Some(area)) => {
                Sight::within(area, geography)
            }
            _ => Sight::Published,
        }
    }

    /// Whether the reader sees exact figures of any area.
    pub(super) const fn sees_exact(&self) -> bool {
        match self.role {
            Role::HateLead | Role::Analyst | Role::Auditor => true,
            Role::CspCoordinator | Role::CspChair | Role::NptSergeant | Role::NpaCommander => {
                self.area.is_some()
            }
            _ => false,
        }
    }

    /// For whom the reader answers.
    pub(super) fn party(&self) -> Party {
        Party { role: self.role, area: self.area.clone() }
    }

    /// Whether a form was sent from this reader's own pages.
    pub(super) fn sent(&self, token: &str) -> Result<(), PageError> {
        let same = self.token.len() == token.len()
            && self.token.bytes().zip(token.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0;
        if same && !token.is_empty() { Ok(()) } else { Err(PageError::Form) }
    }
}

impl Sight {
    /// The wards of an area.
    pub(super) fn within(area: &AreaRef, geography: &Geography) -> Self {
        Self::Wards(if area.kind == AreaKind::Ward {
            BTreeSet::from([area.code.clone()])
        } else {
            geography.wards_of(area.kind, &area.code).map(|ward| ward.code.clone()).collect()
        })
    }

    pub(super) fn of_ward(&self, code: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Wards(wards) => wards.contains(code),
            Self::Published => false,
        }
    }

    /// Whether all of these wards may be seen; never for none.
    pub(super) fn of_all<'a>(&self, codes: impl IntoIterator<Item = &'a String>) -> bool {
        let mut any = false;
        codes.into_iter().all(|code| {
            any = true;
            self.of_ward(code)
        }) && (any || *self == Self::Everything)
    }

    /// Whether any of these wards may be seen.
    pub(super) fn of_any<'a>(&self, codes: impl IntoIterator<Item = &'a String>) -> bool {
        *self == Self::Everything || codes.into_iter().any(|code| self.of_ward(code))
    }
}

impl FromRequestParts<Arc<Site>> for Reader {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, PageError> {
        // The gate of the route has asked before.
        if let Some(reader) = parts.extensions.get::<Self>() {
            return Ok(reader.clone());
        }
        let session = Session::from_request_parts(parts, site).await.map_err(|_| PageError::SignIn)?;
        let name: Option<String> = session.get(ACCOUNT).await?;
        let token: Option<String> = session.get(TOKEN).await?;
        let begun: Option<String> = session.get(MARK).await?;
        let (Some(name), Some(token)) = (name, token) else { return Err(PageError::SignIn) };
        // Asked for every page: an account that was changed or taken away counts at once.
        let account = site.engine.store.account(&name).await?.ok_or(PageError::SignIn)?;
        if begun != Some(mark(&account)) {
            return Err(PageError::SignIn);
        }
        // What the configuration gives to nobody any more ends with the start of the site, not with the session.
        let gives = |provider: &Arc<Provider>| provider.gives(account.role, account.area.as_ref());
        if is_vouched_for(&name) && !site.provider.as_ref().is_some_and(gives) {
            return Err(PageError::SignIn);
        }
        Ok(Self { name, role: account.role, area: account.area, token })
    }
}
