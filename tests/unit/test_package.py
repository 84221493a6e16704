"""The package: its public names, its version, and one source of dependencies."""

import importlib.util
import subprocess
import sys
import tomllib

import hwr_core
from tests.support.paths import ROOT


def test_every_public_name_resolves_and_is_listed():
    for name in hwr_core.__all__:
        assert getattr(hwr_core, name) is not None
    assert set(dir(hwr_core)) == set(hwr_core.__all__)


def test_type_checkers_see_the_names_that_are_imported_on_first_use():
    source = (ROOT / "hwr_core" / "__init__.py").read_text(encoding="utf-8")
    typed = source[source.index("if TYPE_CHECKING:") : source.index("# Public name")]
    for name, module in hwr_core._MODULES.items():
        line = next(line for line in typed.splitlines() if f"from hwr_core.{module} import" in line)
        assert name in line.split("import ")[1].split(", ")


def test_an_unknown_name_raises_attribute_error():
    try:
        hwr_core.no_such_name  # noqa: B018
    except AttributeError as error:
        assert "no_such_name" in str(error)
    else:
        raise AssertionError("no AttributeError")


def test_importing_the_package_loads_no_recogniser_library():
    heavy = "{'torch', 'onnxruntime', 'cv2', 'numpy', 'streamlit', 'fastapi'}"
    code = f"import sys, hwr_core; from hwr_core import HandwritingError; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True).stdout == "[]\n"


def test_requirements_files_list_what_pyproject_names():
    spec = importlib.util.spec_from_file_location("requirements_tool", ROOT / "tools" / "requirements.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.outdated() == {}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    project["optional-dependencies"]["torch"].append("extra==1.0")
    assert "extra==1.0\n" in tool.contents(project)["requirements.txt"]
    assert "extra==1.0\n" not in tool.contents(project)["requirements-shipped.txt"]


def test_every_requirement_is_pinned_exactly():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for requirements in [project["dependencies"], *project["optional-dependencies"].values()]:
        assert all(requirement.count("==") == 1 for requirement in requirements), requirements
