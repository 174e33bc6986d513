//! Lists of keys.

use sakms_core::key::{KeyFilter, KeyQuery, KeyRecord, Page, Tag};
use sakms_core::store::{KeyStore as _, StoreError};

use super::Wrong;
use crate::flaw::Flaw;

/// Whether a tag is like another, in which `_` stands for any letter.
fn is_like(tag: &Tag, pattern: &Tag) -> bool {
    let (tag, pattern) = (tag.as_str().as_bytes(), pattern.as_str().as_bytes());
    let alike = |(byte, wanted): (&u8, &u8)| *wanted == b'_' || byte == wanted;
    tag.len() == pattern.len() && tag.iter().zip(pattern).all(alike)
}

impl Wrong {
    pub(crate) async fn list(&self, query: &KeyQuery) -> Result<Page<KeyRecord>, StoreError> {
        let mut asked = query.clone();
        if self.has(Flaw::ForgetsTheTag) || self.has(Flaw::LikesTags) {
            asked.filter.tag = None;
        }
        if self.has(Flaw::FiltersThePage) {
            asked.filter = KeyFilter::default();
        }
        let mut page = self.store.list(&asked).await?;
        if self.has(Flaw::FiltersThePage) {
            page.items.retain(|key| query.filter.matches(key));
        }
        if let Some(pattern) = &query.filter.tag
            && self.has(Flaw::LikesTags)
        {
            page.items
                .retain(|key| key.tags.iter().any(|tag| is_like(tag, pattern)));
        }
        Ok(page)
    }
}
