# Make estimation.json: R's results for the models of the estimation issue, with the data they are fitted to.
#
# Run once, from the root of the repository: `Rscript tests/golden/make_estimation.R`; tests read the JSON and need no R.
# Made with R 4.2.2 and Debian 12's r-cran-mass 7.3.58.2, nnet 7.3.18, survival 3.5.3, ordinal 2022.11.16, sandwich 3.0.2,
# lmtest 0.9.40, aer 1.2.10, pscl 1.5.5, brglm2 0.9, quantreg 5.94, glmnet 4.1.6, statmod 1.5.0, emmeans 1.8.4.1, car 3.1.1,
# survey 4.1.1, numderiv; betareg 3.2.3, truncreg 0.2.5 and tweedie 3.0.17 of CRAN. It sources
# estimation_tools.R and the parts estimation_{linear,discrete,survival,other}.R; half a minute.
#
# Top level of the JSON: "made by", "packages", "data" (name -> source, columns, levels of factors), "new_rows"
# (where predictions are made), "cases" (name -> case). A case holds "data" (a name above), "call" (R's, as one would write it), "package", "digits" (what may be relied upon) and
# results. Vectors follow "names"; matrices are lists of rows. Figures by row of the data are kept to 12 digits, others whole.
# Where R's own optimizer stops early, Newton's method with exact second derivatives goes on from its end ("refined": true);
# how far R's figures were then from the ones here is in "package_agreement" (relative, the largest). null: R has no value; in
# "quantile_bounds" (normal quantiles of P(Y < y) and P(Y <= y)) an infinite end; in "profile" an end that does not exist.
# Keys of covariances: vcov is R's (glm: expected information), vcov_observed from second derivatives, vcov_opg the inverse of
# the scores' cross products, vcov_sandwich without a factor, vcov_cluster_HC0 summed by sim$id without a factor.
suppressPackageStartupMessages({
  library(MASS); library(nnet); library(survival); library(ordinal); library(sandwich); library(lmtest); library(AER)
  library(pscl); library(brglm2); library(quantreg); library(glmnet); library(statmod); library(betareg); library(truncreg)
})
options(warn = 1, contrasts = c("contr.treatment", "contr.treatment"), digits = 17)
source("tests/golden/estimation_tools.R")
tight <- glm.control(epsilon = 1e-15, maxit = 500)
quiet <- function(x) suppressWarnings(suppressMessages(x))
cases <- list()
case <- function(name, ...) { cases[[name]] <<- list(...); cat(name, "\n") }

# ---- data: small, rounded to what is written ---------------------------------------------------------------------------
kept <- list()
keep <- function(name, frame, source) {
  kept[[name]] <<- list(source = source, columns = lapply(as.list(frame), function(v) vec(if (is.factor(v)) as.character(v) else as.numeric(v))),
    levels = lapply(Filter(is.factor, as.list(frame)), function(v) vec(levels(v))),
    ordered = vec(names(Filter(is.ordered, as.list(frame)))))
  assign(name, frame, envir = globalenv())
  invisible()
}
classic <- function(name, package, columns = NULL) {
  frame <- as.data.frame(getExportedValue(package, name))
  if (!is.null(columns)) frame <- frame[columns]
  rownames(frame) <- NULL
  keep(name, frame, sprintf("R's %s::%s", package, name))
}
set.seed(20240607)
n <- 120
sim <- data.frame(t = 1:n, id = rep(1:24, each = 5), block = sample(1:9, n, TRUE), x1 = round(rnorm(n), 2), x2 = round(runif(n), 2),
  g = factor(sample(c("a", "b", "c"), n, TRUE, c(.4, .35, .25))), exposure = round(runif(n, .5, 3), 2), w = as.numeric(sample(1:3, n, TRUE)),
  v = round(runif(n, .4, 2.5), 2))
shared <- rep(rnorm(24, sd = .4), each = 5)
eta <- with(sim, .3 + .5 * x1 - .8 * x2 + .4 * (g == "b") - .3 * (g == "c"))
sim$y <- round(2 + eta + shared + arima.sim(list(ar = .4), n) * .7, 3)
sim$bin <- rbinom(n, 1, plogis(eta + shared))
sim$rare <- rbinom(n, 1, exp(-1.6 + .3 * sim$x1))
sim$count <- rpois(n, exp(eta + shared * .6))
sim$claims <- rpois(n, sim$exposure * exp(eta))
sim$over <- rnbinom(n, mu = exp(eta + .5), size = 1.4)
sim$many <- rpois(n, 6 + 1.2 * sim$x1 + 2 * sim$x2)
sim$cost <- round(rgamma(n, shape = 3, scale = exp(eta + 1) / 3), 3)
sim$wait <- round(rinvgauss(n, exp(.4 * eta + .6), dispersion = .3), 3)
sim$loss <- round(sapply(rpois(n, exp(eta) * .8), function(k) sum(rgamma(k, 2, 1))), 3)
sim$share <- round(pmin(pmax(rbeta(n, plogis(eta) * 8, (1 - plogis(eta)) * 8), .01), .99), 3)
sim$inflated <- ifelse(runif(n) < plogis(-1.2 + .9 * sim$x2), 0, rnbinom(n, mu = exp(eta + 1.6), size = 4))
sim$kind <- factor(apply(cbind(1, exp(.2 + .6 * sim$x1), exp(-.3 + sim$x2 - .4 * sim$x1)), 1, function(p) sample(c("bus", "car", "walk"), 1, prob = p)))
sim$grade <- factor(cut(eta + rlogis(n), c(-Inf, -.8, .4, 1.5, Inf), c("poor", "fair", "good", "best")), ordered = TRUE)
latent <- .2 + sim$x1 * .7 - .5 * sim$x2 + rnorm(n)
sim$tobit <- round(pmax(latent, 0), 3)
sim$tobit2 <- round(pmin(pmax(latent, -.5), 1.2), 3)
life <- exp(1.2 + .4 * sim$x1 - .5 * (sim$g == "b") + .6 * log(rexp(n))); stop_at <- runif(n, 1, 9)
sim$time <- round(pmax(pmin(life, stop_at), .05), 2)
sim$event <- as.numeric(life <= stop_at)
sim$heavy <- round(1 + .8 * sim$x1 - .6 * sim$x2 + rt(n, 3) * .6, 3)
keep("sim", sim, "simulated by this script, set.seed(20240607), rounded")
kept_truncated <- subset(sim, latent > 0)
truncated <- data.frame(yt = round(latent[latent > 0], 3) + .001, x1 = kept_truncated$x1, x2 = kept_truncated$x2)
keep("truncated", truncated, "the rows of sim whose latent response is above 0, the only ones seen; yt > 0")
keep("budworm", data.frame(dead = c(1, 4, 9, 13, 18, 20, 0, 2, 6, 10, 12, 16), alive = 20 - c(1, 4, 9, 13, 18, 20, 0, 2, 6, 10, 12, 16),
  ldose = rep(0:5, 2), sex = factor(rep(c("M", "F"), each = 6))), "budworm of Venables & Ripley (2002), section 7.2; also Collett (1991)")
keep("clotting", data.frame(u = c(5, 10, 15, 20, 30, 40, 60, 80, 100), lot1 = c(118, 58, 42, 35, 27, 25, 21, 19, 18),
  lot2 = c(69, 35, 26, 21, 18, 16, 13, 12, 12)), "example(glm) of R; McCullagh & Nelder (1989), pp. 300-302")
keep("counts", data.frame(counts = c(18, 17, 15, 20, 10, 20, 25, 13, 12), outcome = gl(3, 1, 9), treatment = gl(3, 3)),
  "example(glm) of R; Dobson (1990), p. 93")
mtcars$gear <- factor(mtcars$gear); mtcars$cyl <- factor(mtcars$cyl)
keep("mtcars", data.frame(mtcars, row.names = NULL), "R's datasets::mtcars, cyl and gear as factors")
for (d in c("warpbreaks", "stackloss", "Puromycin")) classic(d, "datasets")
for (d in c("quine", "housing", "phones", "petrol")) classic(d, "MASS")
for (d in c("tobin", "ovarian", "veteran")) classic(d, "survival")
classic("wine", "ordinal"); classic("endometrial", "brglm2")
data(engel, package = "quantreg"); keep("engel", engel, "R's quantreg::engel")
keep("bladder40", data.frame(subset(survival::bladder, id > 30 & id <= 70), row.names = NULL), "R's survival::bladder, id 31 to 70: four rows a patient")
keep("DNase1", data.frame(subset(as.data.frame(DNase), Run == 1, c("conc", "density")), row.names = NULL), "R's datasets::DNase, Run 1")
new_rows <- list(sim = data.frame(x1 = c(-1.2, 0, .85), x2 = c(.1, .5, .93), g = factor(c("a", "b", "c")), exposure = c(1, 2, .5)),
  mtcars = data.frame(wt = c(2, 3.1), hp = c(90, 180), cyl = factor(c("4", "8"))))
parts <- commandArgs(TRUE)                                                 # a part alone, while working on it
for (part in if (length(parts)) parts else c("linear", "discrete", "survival", "other")) source(sprintf("tests/golden/estimation_%s.R", part))

used <- unique(unlist(lapply(cases, `[[`, "data")))
used_packages <- c("MASS", "nnet", "survival", "ordinal", "sandwich", "lmtest", "AER", "pscl", "brglm2", "quantreg", "glmnet",
  "statmod", "betareg", "truncreg", "tweedie", "emmeans", "car", "survey", "numDeriv")
out <- list(`made by` = paste("Rscript tests/golden/make_estimation.R,", R.version.string),
  packages = setNames(lapply(used_packages, function(p) as.character(packageVersion(p))), used_packages),
  data = kept[used], new_rows = lapply(new_rows, as.list), cases = cases)
writeLines(json(out), if (length(parts)) "estimation_part.json" else "tests/golden/estimation.json")
