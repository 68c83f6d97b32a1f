"""The section `prompt` of a program's settings: how instances become prompts."""

from typing import Literal

from pydantic import Field, model_validator

from swe_workloads.evaluation.image_names import Images
from swe_workloads.run_file import PositiveInt
from swe_workloads.settings_file import Section

CODE_TOKENS_FIELD, TEMPLATE_FIELD, STYLE_FIELD = "spec.promptCodeTokens", "spec.promptTemplate", "spec.promptStyle"
Style = Literal["Pro", "Style2", "Style3", "Custom"]


class Prompt(Section):
    """`template_file` is where the template of style Custom lies, `code_tokens` the most that code may take.

    `images` are where code is read that rows do not bring along.
    """

    style: Style
    template_file: str | None = None
    code_tokens: PositiveInt
    images: Images = Field(default_factory=Images)

    @model_validator(mode="after")
    def _has_its_template(self) -> "Prompt":
        if (self.style == "Custom") != (self.template_file is not None):
            raise ValueError("templateFile belongs to style Custom, which needs it")
        return self
