"""Pages: middleware, components, navigation, forms, paging, charts."""
