"""Which engine makes large results, and what is said where the one that was chosen cannot."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from fonoteca.catalogue import chosen
from fonoteca.catalogue.engine import DEFAULT, connect
from fonoteca.catalogue.ingest import plan
from fonoteca.core.errors import Failed, Usage
from fonoteca.core.settings import resolve
from fonoteca.sources.records import Dump
from fonoteca.sources.table import Table
from simulators.tiny_catalogue import archive

pytestmark = pytest.mark.core
SPARK = resolve([]).replaced(catalogue__engine="spark")


def test_duckdb_is_chosen_where_nothing_is_said() -> None:
    assert chosen.cluster(resolve([])) is None


def test_an_engine_that_is_none_is_refused() -> None:
    with pytest.raises(Usage, match="'flink' is no engine") as error:
        chosen.cluster(resolve([]).replaced(catalogue__engine="flink"))
    assert error.value.code == "bad-setting"


@pytest.mark.skipif(importlib.util.find_spec("pyspark") is not None, reason="Spark is installed here")
def test_without_spark_nothing_goes_to_the_other_engine(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("key,title\n1,Dawn\n")
    with pytest.raises(Failed, match=r"catalogue\.engine is 'spark'") as error:
        plan(archive(tmp_path / "archive"), Table(), Dump([tmp_path / "t.csv"]), SPARK)
    assert error.value.code == "missing-extra"
    assert "fonoteca[archive,spark]" in error.value.remedy


def test_a_cluster_elsewhere_has_a_python_of_its_own() -> None:
    assert "spark.pyspark.python" in chosen.Cluster("spark://127.0.0.1:7077").options()
    assert "spark.pyspark.python" not in chosen.Cluster("spark://head:7077").options()


def test_duckdb_keeps_what_it_makes_under_a_name() -> None:
    with connect(DEFAULT) as connection, chosen.maker(None, connection, Path("unused")) as made:
        made.keep("squares", "SELECT unnest(range(4)) AS n, n * n AS square")
        made.keep("squares", "SELECT unnest(range(5)) AS n, n * n AS square")
        assert made.rows("SELECT sum(square)::INTEGER AS total FROM squares") == [(30,)]
        made.drop("squares")
        assert made.rows("SELECT count(*) AS n FROM duckdb_tables()") == [(0,)]
