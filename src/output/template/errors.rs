use gotmpl::TemplateError;
pub fn of_parser(error: &TemplateError, _text: &str) -> String {
    format!("{error}")
}
pub fn of_execution(error: &TemplateError, _text: &str) -> String {
    format!("{error:?}")
}
