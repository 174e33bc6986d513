//! Putting one operation together.

use serde_json::Value;
use utoipa::openapi::header::Header;
use utoipa::openapi::path::{Operation, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{
    ContentBuilder, HeaderBuilder, Ref, RefOr, Required, ResponseBuilder, ResponsesBuilder,
};
use utoipa::{PartialSchema, ToSchema};

use super::{errors, security, tag_name};
use crate::http::api::QUERY_TOKEN_DEPRECATED;
use crate::http::problem::{Body, Problem};
use crate::http::route::{Access, Route};

pub(super) type Schemas = Vec<(String, RefOr<Schema>)>;

/// A route as the document has it, while it is put together.
pub(super) struct Page<'a> {
    operation: OperationBuilder,
    answers: Vec<(&'static str, ResponseBuilder)>,
    problems: Vec<Problem>,
    schemas: &'a mut Schemas,
}

impl<'a> Page<'a> {
    /// What the row itself says. The schemas the operation refers to go to `schemas`.
    pub(super) fn of(route: &Route, schemas: &'a mut Schemas) -> Self {
        let operation = OperationBuilder::new()
            .tag(tag_name(route.group))
            .securities(Some(security(route)));
        let page = Self {
            operation,
            answers: Vec::new(),
            problems: errors::implied(route),
            schemas,
        };
        if route.access == Access::Anyone {
            page
        } else {
            // Who calls is looked up.
            page.stored()
        }
    }

    pub(super) fn named(mut self, id: &str, summary: &str, description: &str) -> Self {
        self.operation = self
            .operation
            .operation_id(Some(id))
            .summary(Some(summary))
            .description(Some(description));
        self
    }

    pub(super) fn parameter(mut self, parameter: ParameterBuilder) -> Self {
        self.operation = self.operation.parameter(parameter);
        self
    }

    pub(super) fn parameters(self, parameters: impl IntoIterator<Item = ParameterBuilder>) -> Self {
        parameters.into_iter().fold(self, Self::parameter)
    }

    /// A body.
    pub(super) fn takes<T: ToSchema>(mut self, required: Required, example: Value) -> Self {
        let content = ContentBuilder::new()
            .schema(Some(self.reference::<T>()))
            .example(Some(example));
        let body = RequestBodyBuilder::new()
            .content("application/json", content.build())
            .required(Some(required));
        self.operation = self.operation.request_body(Some(body.build()));
        self
    }

    /// A form.
    pub(super) fn takes_form<T: ToSchema>(mut self, example: Value) -> Self {
        let content = ContentBuilder::new()
            .schema(Some(self.reference::<T>()))
            .example(Some(example));
        let body = RequestBodyBuilder::new()
            .content("application/x-www-form-urlencoded", content.build())
            .required(Some(Required::True));
        self.operation = self.operation.request_body(Some(body.build()));
        self
    }

    /// JSON of this type.
    pub(super) fn gives<T: ToSchema>(
        self,
        status: &'static str,
        what: &str,
        example: Value,
    ) -> Self {
        self.gives_as::<T>(status, what, |schema| schema, example)
    }

    /// JSON of a type that has this one in it.
    pub(super) fn gives_as<T: ToSchema>(
        mut self,
        status: &'static str,
        what: &str,
        schema: fn(RefOr<Schema>) -> RefOr<Schema>,
        example: Value,
    ) -> Self {
        let schema = schema(self.reference::<T>());
        let content = ContentBuilder::new()
            .schema(Some(schema))
            .example(Some(example));
        let answer = ResponseBuilder::new()
            .description(what)
            .content("application/json", content.build())
            .header(
                "Cache-Control",
                header("It is for nobody's cache.", "no-store"),
            );
        self.answers.push((status, answer));
        self
    }

    /// JSON of this type that may be kept; its content type, and for how long it may be.
    pub(super) fn gives_kept<T: ToSchema>(
        mut self,
        status: &'static str,
        what: &str,
        (kind, kept): (&str, &str),
        example: Value,
    ) -> Self {
        let content = ContentBuilder::new()
            .schema(Some(self.reference::<T>()))
            .example(Some(example));
        let answer = ResponseBuilder::new()
            .description(what)
            .content(kind, content.build())
            .header(
                "Cache-Control",
                header("For how long it may be kept.", kept),
            );
        self.answers.push((status, answer));
        self
    }

    /// A JSON object that has no schema, and an example of it unless it is too large for one.
    pub(super) fn gives_any(
        mut self,
        status: &'static str,
        what: &str,
        example: Option<Value>,
    ) -> Self {
        let schema = ObjectBuilder::new().schema_type(SchemaType::new(Type::Object));
        let content = ContentBuilder::new().schema(Some(schema)).example(example);
        let answer = ResponseBuilder::new().description(what);
        let answer = answer.content("application/json", content.build());
        self.answers.push((status, answer));
        self
    }

    /// Something that is no JSON of ours.
    pub(super) fn gives_text(mut self, status: &'static str, what: &str, types: &[&str]) -> Self {
        let mut answer = ResponseBuilder::new().description(what);
        for kind in types {
            let content = ContentBuilder::new().schema(Some(String::schema()));
            answer = answer.content(*kind, content.build());
        }
        self.answers.push((status, answer));
        self
    }

    /// One more header of the answer that was described last.
    pub(super) fn header(mut self, name: &str, what: &str, example: &str) -> Self {
        if let Some((status, answer)) = self.answers.pop() {
            self.answers
                .push((status, answer.header(name, header(what, example))));
        }
        self
    }

    pub(super) fn fails(mut self, problems: impl IntoIterator<Item = Problem>) -> Self {
        self.problems.extend(problems);
        self
    }

    /// It works with the database.
    pub(super) fn stored(self) -> Self {
        self.fails(errors::of_the_store())
    }

    /// It changes the database.
    pub(super) fn writes(self) -> Self {
        self.stored().fails(errors::of_writing())
    }

    /// A reference to a schema, which goes to the others with all that it refers to.
    fn reference<T: ToSchema>(&mut self) -> RefOr<Schema> {
        self.schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(self.schemas);
        Ref::from_schema_name(T::name()).into()
    }

    pub(super) fn finish(mut self, route: &Route) -> Operation {
        if !self.problems.is_empty() {
            let _ = self.reference::<Body<'_>>();
        }
        let mut responses = ResponsesBuilder::new();
        for (status, mut answer) in self.answers {
            if route.access != Access::Anyone {
                let what = "There when the token came in the query: since when that is deprecated (RFC 9745).";
                answer = answer.header("Deprecation", header(what, QUERY_TOKEN_DEPRECATED));
            }
            responses = responses.response(status, answer.build());
        }
        let responses = responses.responses_from_iter(errors::responses(self.problems));
        self.operation.responses(responses.build()).build()
    }
}

/// A parameter; one in the path has to be there.
pub(super) fn parameter(name: &str, place: ParameterIn, what: &str) -> ParameterBuilder {
    let required = match place {
        ParameterIn::Path => Required::True,
        _ => Required::False,
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .description(Some(what))
}

fn header(what: &str, example: &str) -> Header {
    HeaderBuilder::new()
        .schema(Some(String::schema()))
        .description(Some(what))
        .example(Some(example.into()))
        .build()
}
