//! Published functions as tools of the Model Context Protocol, over the API and nothing else.
