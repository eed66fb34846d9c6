//! Setters: how structs that may get more fields are built from outside.

/// Writes a chained setter for each field: `name sets field: Type;`.
macro_rules! setters {
    ($($name:ident sets $field:ident: $type:ty;)*) => {$(
        #[doc = concat!("Sets [`", stringify!($field), "`](Self::", stringify!($field), ").")]
        #[must_use]
        pub const fn $name(mut self, $field: $type) -> Self {
            self.$field = $field;
            self
        }
    )*};
}

pub(crate) use setters;
