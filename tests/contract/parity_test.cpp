// Every operator and every aggregate that a plan can have, on every backend. What the language gains without a query
// here fails to compile or to be found, so it cannot be in one backend only.
#include <gtest/gtest.h>

#include <set>

#include "contract/backends.hpp"
#include "contract/engine_under_test.hpp"
#include "contract/naive_backend.hpp"
#include "contract/queries.hpp"
#include "contract/random_streams.hpp"

namespace weir::contract {
namespace {

using ops::Op;
using plan::AggregateKind;

/// A query that uses the operator. No default: a new one is a compile error here until it has its own.
const char* expression(Op op) {
  switch (op) {
    case Op::field:
    case Op::constant:
    case Op::add:
      return "load + 1.5";
    case Op::key_test:
      return "if(plug == 'p1', load, temp)";
    case Op::neg:
      return "-load";
    case Op::abs:
      return "abs(load)";
    case Op::sqrt:
      return "sqrt(load)";
    case Op::floor:
      return "floor(load)";
    case Op::ceil:
      return "ceil(load)";
    case Op::round:
      return "round(load)";
    case Op::not_:
      return "if(not (load > 3), load, 1)";
    case Op::is_null:
      return "if(is_null(temp), load, 2)";
    case Op::sub:
      return "load - temp";
    case Op::mul:
      return "load * temp";
    case Op::div:
      return "load / temp";
    case Op::mod:
      return "load % 7";
    case Op::min:
      return "min(load, temp)";
    case Op::max:
      return "max(load, temp)";
    case Op::lt:
      return "if(load < temp, load, 0)";
    case Op::le:
      return "if(load <= temp, load, 0)";
    case Op::gt:
      return "if(load > temp, load, 0)";
    case Op::ge:
      return "if(load >= temp, load, 0)";
    case Op::eq:
      return "if(load == temp, load, 0)";
    case Op::ne:
      return "if(load != temp, load, 0)";
    case Op::and_:
      return "if(load > 1 and temp > 1, load, 0)";
    case Op::or_:
      return "if(load > 1 or temp > 1, load, 0)";
    case Op::select:
      return "if(temp > 3, load, temp)";
  }
  return nullptr;
}

/// What select is written as, likewise.
const char* aggregate(AggregateKind kind) {
  switch (kind) {
    case AggregateKind::count:
      return "count()";
    case AggregateKind::sum:
      return "sum(x)";
    case AggregateKind::avg:
      return "avg(x)";
    case AggregateKind::min:
      return "min(x)";
    case AggregateKind::max:
      return "max(x)";
    case AggregateKind::first:
      return "first(x)";
    case AggregateKind::last:
      return "last(x)";
    case AggregateKind::stddev:
      return "stddev(x)";
    case AggregateKind::stddev_pop:
      return "stddev_pop(x)";
    case AggregateKind::variance:
      return "variance(x)";
    case AggregateKind::variance_pop:
      return "variance_pop(x)";
    case AggregateKind::range:
      return "range(x)";
    case AggregateKind::quantile:
      return "quantile(x, 0.75)";
    case AggregateKind::distinct:
      return "distinct(household)";
  }
  return nullptr;
}

constexpr int kOperators = static_cast<int>(Op::select) + 1;
constexpr int kAggregates = static_cast<int>(AggregateKind::distinct) + 1;

plan::Plan plan_with(const std::string& let, const std::string& select) {
  spec::Query query;
  query.name = "parity";
  query.let = {{"x", let, 4, 0}};
  query.group_by = {"house"};
  query.select = {select, "count(x)", "sum(x)"};
  if (select == "sum(x)") query.select.pop_back();
  query.window = Duration(6 * kSecond);
  query.slide = Duration(2 * kSecond);
  return plan_of(plugs_stream(1, kSecond), query);
}

class Parity : public BackendTest {
 protected:
  void expect_same(const plan::Plan& plan) {
    const auto naive = make_naive_backend();
    StreamShape shape;
    shape.seed = 500;
    shape.readings = 300;
    shape.disorder = 2 * kSecond;
    const std::vector<oracle::Event> events = random_stream(shape);
    const std::span<const oracle::Event> all(events);
    EngineUnderTest expected(plan, *naive);
    EngineUnderTest engine(plan, backend());
    for (EngineUnderTest* each : {&expected, &engine}) {
      each->feed(all.first(120));
      each->feed(all.subspan(120), true);
    }
    EXPECT_EQ(engine.texts(), expected.texts());
    EXPECT_FALSE(expected.texts().empty());
    EXPECT_EQ(engine.ledger().counted, expected.ledger().counted);
  }
};

TEST_P(Parity, Operators_AreOnEveryBackend) {
  for (int i = 0; i < kOperators; ++i) {
    const auto op = static_cast<Op>(i);
    SCOPED_TRACE(expression(op));
    const plan::Plan plan = plan_with(expression(op), "sum(x)");
    const auto& code = plan.queries[0].arguments[0].program.code;
    EXPECT_TRUE(std::any_of(code.begin(), code.end(), [&](const ops::Instruction& step) { return step.op == op; }))
        << "the expression does not use operator " << i;
    expect_same(plan);
  }
}

TEST_P(Parity, Aggregates_AreOnEveryBackend) {
  for (int i = 0; i < kAggregates; ++i) {
    const auto kind = static_cast<AggregateKind>(i);
    SCOPED_TRACE(aggregate(kind));
    const plan::Plan plan = plan_with("load * 3 - temp", aggregate(kind));
    EXPECT_EQ(plan.queries[0].aggregates[0].kind, kind);
    expect_same(plan);
  }
}

WEIR_CONTRACT_SUITE(Parity);

}  // namespace
}  // namespace weir::contract
