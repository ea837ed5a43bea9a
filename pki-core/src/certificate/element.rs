//! The elements of a certificate, also those that are not DER but that the parser reads.
//!
//! [`Der`](super::der::Der) reads only DER, as Go does.

use x509_parser::asn1_rs::{Any, FromDer};

use super::der::split;

/// The classes of tags in [`Element::class`].
pub(super) const UNIVERSAL: u8 = 0x00;
pub(super) const CONTEXT_SPECIFIC: u8 = 0x80;

/// One element.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'a> {
    /// The identifier octet. For a tag number above 30, its last five bits are set, as in the encoding.
    pub(super) tag: u8,
    /// The tag number.
    pub(super) number: u32,
    pub(super) contents: &'a [u8],
}

impl<'a> Element<'a> {
    /// The first element of `der`, and the data after it.
    pub(super) fn read(der: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let Ok((tag, contents, rest)) = split(der) else {
            let (rest, any) = Any::from_der(der).ok()?;
            let (header, number) = (&any.header, any.header.tag().0);
            let low = u8::try_from(number.min(0x1f)).unwrap_or(0x1f);
            let tag = (header.class() as u8) << 6 | u8::from(header.constructed()) << 5 | low;
            return Some((Self { tag, number, contents: any.data }, rest));
        };
        Some((Self { tag, number: u32::from(tag & 0x1f), contents }, rest))
    }

    /// The class of the tag.
    pub(super) const fn class(self) -> u8 {
        self.tag & 0xc0
    }
}

/// Elements that follow one another.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    pub(super) const fn new(der: &'a [u8]) -> Self {
        Self(der)
    }

    /// The elements within the only element in `der`.
    pub(super) fn within(der: &'a [u8]) -> Option<Self> {
        contents(der).map(Self)
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// Takes the next element; `None` at the end, or if there is no element.
    pub(super) fn element(&mut self) -> Option<Element<'a>> {
        let (element, rest) = Element::read(self.0)?;
        self.0 = rest;
        Some(element)
    }

    /// Takes the next element, if there is another; `None` if what follows is not an element.
    #[expect(clippy::option_option, reason = "the end is not a fault")]
    pub(super) fn element_or_end(&mut self) -> Option<Option<Element<'a>>> {
        if self.is_empty() { Some(None) } else { self.element().map(Some) }
    }

    /// Takes the next element, which must have this identifier octet.
    pub(super) fn of(&mut self, tag: u8) -> Option<Element<'a>> {
        self.element().filter(|element| element.tag == tag)
    }

    /// True if these are only elements, and all of them pass.
    pub(super) fn all(mut self, mut check: impl FnMut(Element<'a>) -> bool) -> bool {
        while !self.is_empty() {
            if !self.element().is_some_and(&mut check) {
                return false;
            }
        }
        true
    }
}

/// The contents of the only element in `der`.
pub(super) fn contents(der: &[u8]) -> Option<&[u8]> {
    let (only, rest) = Element::read(der)?;
    rest.is_empty().then_some(only.contents)
}
